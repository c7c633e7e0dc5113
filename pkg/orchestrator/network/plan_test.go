//go:build linux

package network

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

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
	return discoveryv1.Endpoint{Addresses: []string{p.ip}, NodeName: &p.node.name, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: p.id}}
}

func (m *machine) addr(p *pod) netip.Addr { return netip.MustParseAddr(p.ip) }

func on(node, ip string, c discoveryv1.EndpointConditions) discoveryv1.Endpoint {
	return discoveryv1.Endpoint{Addresses: []string{ip}, NodeName: &node, Conditions: c}
}

// show writes a part as lines, entries first.
func show(p part) string {
	var out []string
	for e, to := range p.entries {
		at := "*"
		if e.addr.IsValid() {
			at = e.addr.String()
		}
		out = append(out, fmt.Sprintf("%s %s:%d -> %s", e.proto, at, e.port, to))
	}
	slices.Sort(out)
	for _, name := range slices.Sorted(maps.Keys(p.chains)) {
		c := p.chains[name]
		line := name + ":"
		for _, r := range c.rules {
			line += " ["
			if r.from.IsValid() {
				line += "from " + r.from.String() + " "
			}
			if r.fromLocal {
				line += "from node "
			}
			if r.masquerade {
				line += "masquerade "
			}
			line += r.then + "]"
		}
		for _, e := range c.endpoints {
			line += " " + e.String()
		}
		if c.affinity > 0 {
			line += " affinity " + c.affinity.String()
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func TestPlanService(t *testing.T) {
	yes, no := true, false
	local := corev1.ServiceInternalTrafficPolicyLocal
	v := view{name: "n1", pods: netip.MustParsePrefix("10.244.0.0/24"), own: []netip.Addr{netip.MustParseAddr("10.96.0.10")}}
	two := []discoveryv1.Endpoint{on("n1", "10.244.0.2", discoveryv1.EndpointConditions{}), on("n2", "10.244.1.2", discoveryv1.EndpointConditions{Ready: &yes})}
	for _, c := range []struct {
		name     string
		nodePort int32
		change   func(*corev1.Service)
		eps      []discoveryv1.Endpoint
		hub      bool
		want     string
	}{
		{name: "cluster IP", eps: two, want: "TCP 10.96.0.20:80 -> svc/default/web/TCP/80\nsvc/default/web/TCP/80: 10.244.0.2:8080 10.244.1.2:8080"},
		{name: "no endpoints", nodePort: 30080, want: "TCP *:30080 -> reject\nTCP 10.96.0.20:80 -> reject"},
		{name: "headless", change: func(s *corev1.Service) { s.Spec.ClusterIP = "None" }, eps: two},
		{name: "external name", change: func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }, eps: two},
		{name: "another proxy's", change: func(s *corev1.Service) { s.Labels = map[string]string{proxyName: "x"} }, eps: two},
		{name: "the node's own address", change: func(s *corev1.Service) { s.Spec.ClusterIP = "10.96.0.10" }, eps: two,
			want: "svc/default/web/TCP/80: 10.244.0.2:8080 10.244.1.2:8080"},
		{name: "not ready", eps: []discoveryv1.Endpoint{two[0], on("n1", "10.244.0.3", discoveryv1.EndpointConditions{Ready: &no})},
			want: "TCP 10.96.0.20:80 -> svc/default/web/TCP/80\nsvc/default/web/TCP/80: 10.244.0.2:8080"},
		{name: "ending but serving, where none is ready",
			eps: []discoveryv1.Endpoint{on("n1", "10.244.0.3", discoveryv1.EndpointConditions{Ready: &no, Serving: &yes, Terminating: &yes}),
				on("n1", "10.244.0.4", discoveryv1.EndpointConditions{Ready: &no, Serving: &no, Terminating: &yes})},
			want: "TCP 10.96.0.20:80 -> svc/default/web/TCP/80\nsvc/default/web/TCP/80: 10.244.0.3:8080"},
		{name: "affinity", change: func(s *corev1.Service) { s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP }, eps: two[:1],
			want: "TCP 10.96.0.20:80 -> svc/default/web/TCP/80\nsvc/default/web/TCP/80: 10.244.0.2:8080 affinity 3h0m0s"},
		{name: "internal policy", change: func(s *corev1.Service) { s.Spec.InternalTrafficPolicy = &local }, eps: two,
			want: "TCP 10.96.0.20:80 -> loc/default/web/TCP/80\nloc/default/web/TCP/80: 10.244.0.2:8080"},
		{name: "internal policy, none here", change: func(s *corev1.Service) { s.Spec.InternalTrafficPolicy = &local }, eps: two[1:],
			want: "TCP 10.96.0.20:80 -> drop"},
		{name: "balancer", nodePort: 30080, eps: two[:1], change: func(s *corev1.Service) {
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "10.64.0.1"}}
			s.Spec.ExternalIPs = []string{"192.0.2.1", "2001:db8::1"}
			s.Spec.LoadBalancerSourceRanges = []string{"192.0.2.0/24"}
		}, want: `TCP *:30080 -> ext/default/web/TCP/80
TCP 10.64.0.1:80 -> fw/default/web/TCP/80
TCP 10.96.0.20:80 -> svc/default/web/TCP/80
TCP 192.0.2.1:80 -> ext/default/web/TCP/80
ext/default/web/TCP/80: [masquerade svc/default/web/TCP/80]
fw/default/web/TCP/80: [from node ext/default/web/TCP/80] [from 192.0.2.0/24 ext/default/web/TCP/80] [drop]
svc/default/web/TCP/80: 10.244.0.2:8080`},
		{name: "external policy", nodePort: 30080, eps: two, change: func(s *corev1.Service) {
			s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
		}, want: `TCP *:30080 -> ext/default/web/TCP/80
TCP 10.96.0.20:80 -> svc/default/web/TCP/80
ext/default/web/TCP/80: [from 10.244.0.0/24 svc/default/web/TCP/80] [from node masquerade svc/default/web/TCP/80] [loc/default/web/TCP/80]
loc/default/web/TCP/80: 10.244.0.2:8080
svc/default/web/TCP/80: 10.244.0.2:8080 10.244.1.2:8080`},
		{name: "external policy of a balancer where the host's traffic enters", hub: true, eps: two[1:], change: func(s *corev1.Service) {
			s.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "10.64.0.1"}}
		}, want: `TCP 10.64.0.1:80 -> svc/default/web/TCP/80
TCP 10.96.0.20:80 -> svc/default/web/TCP/80
ext/default/web/TCP/80: [from 10.244.0.0/24 svc/default/web/TCP/80] [from node masquerade svc/default/web/TCP/80] [drop]
svc/default/web/TCP/80: 10.244.1.2:8080`},
	} {
		svc := service("web", 80, c.nodePort)
		if c.change != nil {
			c.change(svc)
		}
		v.hub = c.hub
		if got := show(planService(v, svc, []*discoveryv1.EndpointSlice{slice(svc, c.eps...)})); got != c.want {
			t.Errorf("%s:\n got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestPodsOf(t *testing.T) {
	yes, no := true, false
	svc := service("web", 80, 0)
	endpoint := func(last string, c discoveryv1.EndpointConditions) discoveryv1.Endpoint {
		e := on("n1", "10.244.0."+last, c)
		e.TargetRef = &corev1.ObjectReference{Kind: "Pod"}
		return e
	}
	got := podsOf([]*discoveryv1.EndpointSlice{slice(svc,
		endpoint("2", discoveryv1.EndpointConditions{Ready: &yes}),
		endpoint("3", discoveryv1.EndpointConditions{Ready: &no, Serving: &yes, Terminating: &yes}),
		endpoint("4", discoveryv1.EndpointConditions{Ready: &no}),
		endpoint("5", discoveryv1.EndpointConditions{Ready: &yes, Terminating: &yes}), // publishNotReadyAddresses
		on("n1", "10.244.0.6", discoveryv1.EndpointConditions{Ready: &yes}),           // of no pod
	), slice(svc, endpoint("2", discoveryv1.EndpointConditions{}))})
	if live, leaving := fmt.Sprint(got.live), fmt.Sprint(got.leaving); live != "[10.244.0.2]" || leaving != "[10.244.0.3 10.244.0.5]" {
		t.Errorf("live %s, leaving %s", live, leaving)
	}
}
