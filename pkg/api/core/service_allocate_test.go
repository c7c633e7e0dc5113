package core

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// allocator hands out 10.96.0.1… and 30000…, and notes what came back.
type allocator struct {
	ips      map[string]bool
	ports    map[int32]bool
	released []string
}

func newAllocator() *allocator { return &allocator{ips: map[string]bool{}, ports: map[int32]bool{}} }

func (a *allocator) ClusterIP(want string) (string, error) {
	for n := 1; want == ""; n++ {
		if ip := fmt.Sprintf("10.96.0.%d", n); !a.ips[ip] {
			want = ip
		}
	}
	if a.ips[want] {
		return "", errors.New("provided IP is already allocated")
	}
	a.ips[want] = true
	return want, nil
}

func (a *allocator) NodePort(want int32, _ corev1.Protocol) (int32, error) {
	for n := int32(30000); want == 0; n++ {
		if !a.ports[n] {
			want = n
		}
	}
	if a.ports[want] {
		return 0, errors.New("provided port is already allocated")
	}
	a.ports[want] = true
	return want, nil
}

func (a *allocator) ReleaseClusterIP(ip string) {
	delete(a.ips, ip)
	a.released = append(a.released, ip)
}

func (a *allocator) ReleaseNodePort(p int32, _ corev1.Protocol) {
	delete(a.ports, p)
	a.released = append(a.released, fmt.Sprint(p))
}

// write does to s what the server does on a write, and gives the errors.
func (a *allocator) write(s, old *corev1.Service) string {
	defaultService(s)
	prepareService(s, old)
	errs := validateService(s, old)
	if len(errs) == 0 {
		errs = allocateService(s, old, a)
	}
	if len(errs) > 0 {
		return errs.ToAggregate().Error()
	}
	return ""
}

func newService(typ corev1.ServiceType, ports ...corev1.ServicePort) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: "default", ResourceVersion: "1"}}
	s.Spec.Type, s.Spec.Ports = typ, ports
	if len(ports) == 0 {
		s.Spec.Ports = []corev1.ServicePort{{Port: 80}}
	}
	return s
}

func TestAllocateService(t *testing.T) {
	a := newAllocator()
	s := newService("")
	if err := a.write(s, nil); err != "" {
		t.Fatal(err)
	}
	if s.Spec.ClusterIP != "10.96.0.1" || !slices.Equal(s.Spec.ClusterIPs, []string{"10.96.0.1"}) || !slices.Equal(s.Spec.IPFamilies, []corev1.IPFamily{"IPv4"}) ||
		*s.Spec.IPFamilyPolicy != corev1.IPFamilyPolicySingleStack || s.Spec.Ports[0].NodePort != 0 {
		t.Errorf("created %+v", s.Spec)
	}

	// The same manifest again, now as a balancer: the address stays, a port comes.
	balancer := newService(corev1.ServiceTypeLoadBalancer)
	if err := a.write(balancer, s); err != "" {
		t.Fatal(err)
	}
	if balancer.Spec.ClusterIP != "10.96.0.1" || balancer.Spec.Ports[0].NodePort != 30000 || len(a.released) != 0 {
		t.Errorf("balancer %+v, released %v", balancer.Spec, a.released)
	}
	again := newService(corev1.ServiceTypeLoadBalancer)
	if err := a.write(again, balancer); err != "" || again.Spec.Ports[0].NodePort != 30000 {
		t.Errorf("again %+v: %s", again.Spec.Ports, err)
	}

	// Traffic to the node's own endpoints alone needs a port that tells balancers of them.
	local := balancer.DeepCopy()
	local.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
	if err := a.write(local, balancer); err != "" || local.Spec.HealthCheckNodePort != 30001 {
		t.Errorf("local %+v: %s", local.Spec, err)
	}

	// Back to a cluster service, with all fields still there as an edit sends them.
	back := local.DeepCopy()
	back.Spec.Type = corev1.ServiceTypeClusterIP
	if err := a.write(back, local); err != "" {
		t.Fatal(err)
	}
	slices.Sort(a.released)
	if back.Spec.Ports[0].NodePort != 0 || back.Spec.HealthCheckNodePort != 0 || back.Spec.ExternalTrafficPolicy != "" || !slices.Equal(a.released, []string{"30000", "30001"}) {
		t.Errorf("back %+v, released %v", back.Spec, a.released)
	}

	name := newService(corev1.ServiceTypeExternalName)
	name.Spec.ExternalName = "example.com"
	if err := a.write(name, back); err != "" || name.Spec.ClusterIP != "" || !slices.Contains(a.released, "10.96.0.1") {
		t.Errorf("name %+v, released %v: %s", name.Spec, a.released, err)
	}
	if errs := allocateService(nil, local, a); len(errs) > 0 {
		t.Error(errs)
	}
}

func TestAllocateShared(t *testing.T) {
	a := newAllocator()
	s := newService(corev1.ServiceTypeNodePort,
		corev1.ServicePort{Name: "tcp", Port: 53}, corev1.ServicePort{Name: "udp", Port: 53, Protocol: corev1.ProtocolUDP}, corev1.ServicePort{Name: "web", Port: 80})
	if err := a.write(s, nil); err != "" {
		t.Fatal(err)
	}
	if p := s.Spec.Ports; p[0].NodePort != p[1].NodePort || p[0].NodePort == p[2].NodePort || p[2].NodePort == 0 {
		t.Errorf("ports %+v", p)
	}
	want := `spec.ports[0].nodePort: Invalid value: 30000: provided port is already allocated`
	if err := a.write(newService(corev1.ServiceTypeNodePort, corev1.ServicePort{Port: 80, NodePort: 30000}), nil); err != want {
		t.Errorf("got %s, want %s", err, want)
	}
	taken := newService("")
	taken.Spec.ClusterIP = "10.96.0.1"
	want = `spec.clusterIPs: Invalid value: ["10.96.0.1"]: failed to allocate IP 10.96.0.1: provided IP is already allocated`
	if err := a.write(taken, nil); err != want {
		t.Errorf("got %s, want %s", err, want)
	}
	without := newService(corev1.ServiceTypeLoadBalancer)
	without.Spec.AllocateLoadBalancerNodePorts = ptr.To(false)
	if err := a.write(without, nil); err != "" || without.Spec.Ports[0].NodePort != 0 {
		t.Errorf("without node ports %+v: %s", without.Spec.Ports, err)
	}
}

func TestHeadless(t *testing.T) {
	a := newAllocator()
	s := newService("")
	s.Spec.ClusterIP, s.Spec.Selector = corev1.ClusterIPNone, map[string]string{"a": "b"}
	if err := a.write(s, nil); err != "" || !slices.Equal(s.Spec.ClusterIPs, []string{"None"}) || !slices.Equal(s.Spec.IPFamilies, []corev1.IPFamily{"IPv4"}) {
		t.Errorf("headless %+v: %s", s.Spec, err)
	}
	s = newService("")
	s.Spec.ClusterIP = corev1.ClusterIPNone
	if err := a.write(s, nil); err != "" || *s.Spec.IPFamilyPolicy != corev1.IPFamilyPolicyRequireDualStack || len(s.Spec.IPFamilies) != 2 {
		t.Errorf("without a selector %+v: %s", s.Spec, err)
	}
	if len(a.ips) != 0 {
		t.Errorf("took %v", a.ips)
	}
}
