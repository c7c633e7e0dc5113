package endpointslice

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// group is what may share a slice: endpoints of one address type with the same ports.
type group struct {
	family    discoveryv1.AddressType
	ports     []discoveryv1.EndpointPort
	endpoints []discoveryv1.Endpoint
}

// desired gives the endpoints that a service should have, grouped, in a stable order. missing says that a pod was left out
// because its node is not known. Pods that resolve a named port differently land in groups of their own.
func desired(s *corev1.Service, pods []*corev1.Pod, node func(string) *corev1.Node) (groups []*group, missing bool) {
	pods = slices.Clone(pods)
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	byKey := map[string]*group{}
	for _, family := range families(s) {
		for _, pod := range pods {
			if !controller.HasEndpoint(pod, true) {
				continue
			}
			home := node(pod.Spec.NodeName)
			if home == nil && !s.Spec.PublishNotReadyAddresses {
				missing = true
				continue
			}
			ports := endpointPorts(s, pod)
			key := string(family) + " " + portsKey(ports)
			g, ok := byKey[key]
			if !ok {
				g = &group{family: family, ports: ports}
				byKey[key] = g
				groups = append(groups, g)
			}
			if e := endpoint(s, pod, home, family); len(e.Addresses) > 0 {
				g.endpoints = append(g.endpoints, e)
			}
		}
	}
	return groups, missing
}

func families(s *corev1.Service) []discoveryv1.AddressType {
	var types []discoveryv1.AddressType
	for _, family := range s.Spec.IPFamilies {
		switch family {
		case corev1.IPv4Protocol:
			types = append(types, discoveryv1.AddressTypeIPv4)
		case corev1.IPv6Protocol:
			types = append(types, discoveryv1.AddressTypeIPv6)
		}
	}
	switch {
	case len(types) > 0:
		return types
	case controller.IsHeadless(s):
		return []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6}
	case strings.Contains(s.Spec.ClusterIP, ":"):
		return []discoveryv1.AddressType{discoveryv1.AddressTypeIPv6}
	}
	return []discoveryv1.AddressType{discoveryv1.AddressTypeIPv4}
}

func endpoint(s *corev1.Service, pod *corev1.Pod, home *corev1.Node, family discoveryv1.AddressType) discoveryv1.Endpoint {
	serving, terminating := controller.IsReady(pod), pod.DeletionTimestamp != nil
	e := discoveryv1.Endpoint{
		Addresses: addresses(pod, family),
		Conditions: discoveryv1.EndpointConditions{
			// a pod on its way out is never ready, unless everything is to be published
			Ready:       new(s.Spec.PublishNotReadyAddresses || serving && !terminating),
			Serving:     new(serving),
			Terminating: new(terminating),
		},
		TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
	}
	if pod.Spec.NodeName != "" {
		e.NodeName = new(pod.Spec.NodeName)
	}
	if home != nil && home.Labels[corev1.LabelTopologyZone] != "" {
		e.Zone = new(home.Labels[corev1.LabelTopologyZone])
	}
	if name := controller.EndpointHostname(pod, s); name != "" {
		e.Hostname = new(name)
	}
	return e
}

func addresses(pod *corev1.Pod, family discoveryv1.AddressType) []string {
	var found []string
	for _, podIP := range pod.Status.PodIPs {
		ip, err := netip.ParseAddr(podIP.IP)
		if err == nil && ip.Is4() == (family == discoveryv1.AddressTypeIPv4) {
			found = append(found, ip.String())
		}
	}
	return found
}

func endpointPorts(s *corev1.Service, pod *corev1.Pod) []discoveryv1.EndpointPort {
	ports := []discoveryv1.EndpointPort{}
	for i := range s.Spec.Ports {
		port := &s.Spec.Ports[i]
		if number, ok := controller.TargetPort(pod, port); ok {
			ports = append(ports, discoveryv1.EndpointPort{
				Name: new(port.Name), Port: new(number), Protocol: new(port.Protocol), AppProtocol: port.AppProtocol,
			})
		}
	}
	return ports
}

// portsKey is equal for equal sets of ports, whatever their order.
func portsKey(ports []discoveryv1.EndpointPort) string {
	texts := make([]string, len(ports))
	for i, p := range ports {
		texts[i] = fmt.Sprintf("%q/%d/%s/%q", value(p.Name), value(p.Port), value(p.Protocol), value(p.AppProtocol))
	}
	slices.Sort(texts)
	return strings.Join(texts, ",")
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
