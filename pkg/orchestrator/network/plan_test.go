//go:build linux

package network

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func service(name string, port, nodePort int32) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.20", Ports: []corev1.ServicePort{{Port: port, NodePort: nodePort}}}}
}

func slice(svc *corev1.Service, eps ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	port, proto := int32(8080), svc.Spec.Ports[0].Protocol
	s := &discoveryv1.EndpointSlice{AddressType: discoveryv1.AddressTypeIPv4, Endpoints: eps,
		ObjectMeta: metav1.ObjectMeta{Namespace: svc.Namespace, Name: svc.Name + "-x", Labels: map[string]string{discoveryv1.LabelServiceName: svc.Name}},
		Ports:      []discoveryv1.EndpointPort{{Port: &port}}}
	if proto != "" {
		s.Ports[0].Protocol = &proto
	}
	return s
}

func ready(p *pod) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{Addresses: []string{p.ip}, NodeName: &p.node.name}
}

func (m *machine) addr(p *pod) netip.Addr { return netip.MustParseAddr(p.ip) }
