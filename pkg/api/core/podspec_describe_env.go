package core

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/sets"
)

func (d podDescriber) envFrom(sources []corev1.EnvFromSource) {
	if len(sources) == 0 {
		return
	}
	d.w.Print(2, "Environment Variables from:\n")
	for _, s := range sources {
		from, name, optional := "", "", false
		switch {
		case s.ConfigMapRef != nil:
			from, name, optional = "ConfigMap", s.ConfigMapRef.Name, isTrue(s.ConfigMapRef.Optional)
		case s.SecretRef != nil:
			from, name, optional = "Secret", s.SecretRef.Name, isTrue(s.SecretRef.Optional)
		}
		if s.Prefix != "" {
			from += fmt.Sprintf(" with prefix '%s'", s.Prefix)
		}
		d.w.Print(3, "%s\t%s\tOptional: %t\n", name, from, optional)
	}
}

func isTrue(b *bool) bool { return b != nil && *b }

func (d podDescriber) env(c *corev1.Container) {
	none := ""
	if len(c.Env) == 0 {
		none = "\t<none>"
	}
	d.w.Print(2, "Environment:%s\n", none)
	for i := range c.Env {
		e := &c.Env[i]
		if e.ValueFrom == nil {
			d.w.Print(3, "%s:\t%s\n", e.Name, strings.ReplaceAll(e.Value, "\n", "\n      \t"))
			continue
		}
		if text := d.envSource(c, e.ValueFrom); text != "" {
			d.w.Print(3, "%s:\t%s\n", e.Name, text)
		}
	}
}

// envSource says where a variable's value comes from and, if that can be known here, what it is.
func (d podDescriber) envSource(c *corev1.Container, from *corev1.EnvVarSource) string {
	switch {
	case from.FieldRef != nil:
		return fmt.Sprintf("%s (%s:%s)", d.podField(from.FieldRef.FieldPath), from.FieldRef.APIVersion, from.FieldRef.FieldPath)
	case from.ResourceFieldRef != nil:
		name := from.ResourceFieldRef.Resource
		value := containerResource(c, from.ResourceFieldRef)
		if value == "0" && (name == "limits.cpu" || name == "limits.memory") {
			value = "node allocatable"
		}
		return fmt.Sprintf("%s (%s)", value, name)
	case from.SecretKeyRef != nil:
		r := from.SecretKeyRef
		return fmt.Sprintf("<set to the key '%s' in secret '%s'>\tOptional: %t", r.Key, r.Name, isTrue(r.Optional))
	case from.ConfigMapKeyRef != nil:
		r := from.ConfigMapKeyRef
		return fmt.Sprintf("<set to the key '%s' of config map '%s'>\tOptional: %t", r.Key, r.Name, isTrue(r.Optional))
	}
	return ""
}

// podField gives a field of the pod: its name or namespace, which are all that kubectl can look up. A template has no pod to ask.
func (d podDescriber) podField(path string) string {
	switch {
	case d.pod != nil && path == "metadata.name":
		return d.pod.Name
	case d.pod != nil && path == "metadata.namespace":
		return d.pod.Namespace
	}
	return ""
}

// containerResource gives a limit or request in units of the divisor, rounded up; empty for one that is not known.
func containerResource(c *corev1.Container, ref *corev1.ResourceFieldSelector) string {
	kind, name, ok := strings.Cut(ref.Resource, ".")
	list := map[string]corev1.ResourceList{"limits": c.Resources.Limits, "requests": c.Resources.Requests}[kind]
	known := sets.New("cpu", "memory", "ephemeral-storage").Has(name) || strings.HasPrefix(name, corev1.ResourceHugePagesPrefix)
	if !ok || !known || (kind != "limits" && kind != "requests") {
		return ""
	}
	divisor := ref.Divisor
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	quantity := list[corev1.ResourceName(name)]
	if name == "cpu" {
		return strconv.FormatInt(int64(math.Ceil(float64(quantity.MilliValue())/float64(divisor.MilliValue()))), 10)
	}
	return strconv.FormatInt(int64(math.Ceil(float64(quantity.Value())/float64(divisor.Value()))), 10)
}
