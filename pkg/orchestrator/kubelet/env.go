package kubelet

import (
	"context"
	"fmt"
	"net"
	"sort"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubeskiff/skiff/pkg/orchestrator/volume"
)

// environment is a container's environment: names in order, with their values.
type environment struct {
	names  []string
	values map[string]string
}

func (e *environment) set(name, value string) {
	if _, ok := e.values[name]; !ok {
		e.names = append(e.names, name)
	}
	e.values[name] = value
}

func (e *environment) lookup(name string) (string, bool) {
	v, ok := e.values[name]
	return v, ok
}

// list gives NAME=value lines.
func (e *environment) list() []string {
	out := make([]string, 0, len(e.names))
	for _, n := range e.names {
		out = append(out, n+"="+e.values[n])
	}
	return out
}

// podAddresses are what fieldRefs below status ask for.
type podAddresses struct{ podIPs, hostIPs []string }

// environ makes the environment that a pod gives its container: envFrom, then env, then services where nothing else is
// of that name.
func (k *Kubelet) environ(ctx context.Context, pod *corev1.Pod, c *corev1.Container, at podAddresses, services []*corev1.Service) (*environment, error) {
	e := &environment{values: map[string]string{}}
	service := serviceEnvironment(services)
	lookup := func(name string) (string, bool) {
		if v, ok := e.values[name]; ok {
			return v, true
		}
		v, ok := service[name]
		return v, ok
	}
	for i := range c.EnvFrom {
		if err := k.environFrom(ctx, pod.Namespace, &c.EnvFrom[i], e); err != nil {
			return nil, err
		}
	}
	for i := range c.Env {
		v := &c.Env[i]
		if v.Value != "" || v.ValueFrom == nil {
			e.set(v.Name, expand(v.Value, lookup))
			continue
		}
		value, ok, err := k.valueFrom(ctx, pod, c, v.ValueFrom, at)
		if err != nil {
			return nil, err
		}
		if ok {
			e.set(v.Name, value)
		}
	}
	names := make([]string, 0, len(service))
	for n := range service {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		if _, ok := e.values[n]; !ok {
			e.set(n, service[n])
		}
	}
	return e, nil
}

func (k *Kubelet) environFrom(ctx context.Context, namespace string, f *corev1.EnvFromSource, e *environment) error {
	data := map[string]string{}
	switch {
	case f.ConfigMapRef != nil:
		cm, err := k.ConfigMap(ctx, namespace, f.ConfigMapRef.Name)
		if err != nil {
			return optional(err, f.ConfigMapRef.Optional)
		}
		data = cm.Data
	case f.SecretRef != nil:
		s, err := k.Secret(ctx, namespace, f.SecretRef.Name)
		if err != nil {
			return optional(err, f.SecretRef.Optional)
		}
		for name, b := range s.Data {
			data[name] = string(b)
		}
	}
	names := make([]string, 0, len(data))
	for n := range data {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		e.set(f.Prefix+n, data[n])
	}
	return nil
}

// optional forgives a missing object where the reference says so.
func optional(err error, may *bool) error {
	if may != nil && *may && apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// valueFrom resolves a source; ok is false for an optional one that is missing.
func (k *Kubelet) valueFrom(ctx context.Context, pod *corev1.Pod, c *corev1.Container, from *corev1.EnvVarSource, at podAddresses) (value string, ok bool, err error) {
	switch {
	case from.FieldRef != nil:
		value, err = fieldValue(pod, from.FieldRef.FieldPath, at)
		return value, true, err
	case from.ResourceFieldRef != nil:
		value, err = volume.Resource(pod, c.Name, from.ResourceFieldRef, k.machine.capacity)
		return value, true, err
	case from.ConfigMapKeyRef != nil:
		r := from.ConfigMapKeyRef
		cm, err := k.ConfigMap(ctx, pod.Namespace, r.Name)
		if err != nil {
			return "", false, optional(err, r.Optional)
		}
		value, ok = cm.Data[r.Key]
		if !ok && (r.Optional == nil || !*r.Optional) {
			return "", false, fmt.Errorf("couldn't find key %v in ConfigMap %v/%v", r.Key, pod.Namespace, r.Name)
		}
		return value, ok, nil
	case from.SecretKeyRef != nil:
		r := from.SecretKeyRef
		s, err := k.Secret(ctx, pod.Namespace, r.Name)
		if err != nil {
			return "", false, optional(err, r.Optional)
		}
		b, ok := s.Data[r.Key]
		if !ok && (r.Optional == nil || !*r.Optional) {
			return "", false, fmt.Errorf("couldn't find key %v in Secret %v/%v", r.Key, pod.Namespace, r.Name)
		}
		return string(b), ok, nil
	case from.FileKeyRef != nil:
		return "", false, fmt.Errorf("environment variables from files are not supported by this node agent")
	}
	return "", false, nil
}

func fieldValue(pod *corev1.Pod, path string, at podAddresses) (string, error) {
	first := func(list []string) string {
		if len(list) == 0 {
			return ""
		}
		return list[0]
	}
	switch path {
	case "status.podIP":
		return first(at.podIPs), nil
	case "status.podIPs":
		return strings.Join(at.podIPs, ","), nil
	case "status.hostIP":
		return first(at.hostIPs), nil
	case "status.hostIPs":
		return strings.Join(at.hostIPs, ","), nil
	}
	return volume.Field(pod, path)
}

// visibleServices are those whose addresses a pod finds in its environment: its namespace's, and always the API's own.
func visibleServices(all []*corev1.Service, pod *corev1.Pod) []*corev1.Service {
	links := pod.Spec.EnableServiceLinks == nil || *pod.Spec.EnableServiceLinks
	byName := map[string]*corev1.Service{}
	for _, s := range all {
		if s.Spec.ClusterIP == "" || s.Spec.ClusterIP == corev1.ClusterIPNone {
			continue
		}
		switch {
		case s.Namespace == corev1.NamespaceDefault && s.Name == "kubernetes":
			if byName[s.Name] == nil {
				byName[s.Name] = s
			}
		case links && s.Namespace == pod.Namespace:
			byName[s.Name] = s
		}
	}
	out := make([]*corev1.Service, 0, len(byName))
	for _, s := range byName {
		out = append(out, s)
	}
	return out
}

// serviceEnvironment names services as containers' links of old did.
func serviceEnvironment(services []*corev1.Service) map[string]string {
	out := map[string]string{}
	for _, s := range services {
		if len(s.Spec.Ports) == 0 {
			continue
		}
		prefix, ip := envName(s.Name), s.Spec.ClusterIP
		out[prefix+"_SERVICE_HOST"] = ip
		out[prefix+"_SERVICE_PORT"] = strconv.Itoa(int(s.Spec.Ports[0].Port))
		for i := range s.Spec.Ports {
			p := &s.Spec.Ports[i]
			port := strconv.Itoa(int(p.Port))
			if p.Name != "" {
				out[prefix+"_SERVICE_PORT_"+envName(p.Name)] = port
			}
			protocol := "TCP"
			if p.Protocol != "" {
				protocol = string(p.Protocol)
			}
			url := strings.ToLower(protocol) + "://" + net.JoinHostPort(ip, port)
			if i == 0 {
				out[prefix+"_PORT"] = url
			}
			one := prefix + "_PORT_" + port + "_" + strings.ToUpper(protocol)
			out[one] = url
			out[one+"_PROTO"] = strings.ToLower(protocol)
			out[one+"_PORT"] = port
			out[one+"_ADDR"] = ip
		}
	}
	return out
}

func envName(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "-", "_")) }
