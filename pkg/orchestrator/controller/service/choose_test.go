package service

import (
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestChoose(t *testing.T) {
	pool := netip.MustParsePrefix("192.0.2.0/29")
	used := map[netip.Addr]bool{netip.MustParseAddr("192.0.2.1"): true, netip.MustParseAddr("192.0.2.3"): true}
	for _, test := range []struct {
		name, asked, has, want, err string
	}{
		{"the first free one", "", "", "192.0.2.2", ""},
		{"what it asks for", "192.0.2.5", "", "192.0.2.5", ""},
		{"what it has", "", "192.0.2.4", "192.0.2.4", ""},
		{"what it has is another's", "", "192.0.2.3", "192.0.2.2", ""},
		{"what it asks for is another's", "192.0.2.3", "", "", "in use"},
		{"outside of the range", "198.51.100.1", "", "", "not in the range"},
		{"no address", "x", "", "", "not an address"},
	} {
		s := &corev1.Service{Spec: corev1.ServiceSpec{LoadBalancerIP: test.asked}}
		if test.has != "" {
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: test.has}}
		}
		got, err := choose(s, pool, used)
		switch {
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: got error %v, want %q", test.name, err, test.err)
		case test.err == "" && (err != nil || got.String() != test.want):
			t.Errorf("%s: got %s, %v; want %s", test.name, got, err, test.want)
		}
	}
	for i := range 8 {
		ip := pool.Addr()
		for range i {
			ip = ip.Next()
		}
		used[ip] = true
	}
	if _, err := choose(&corev1.Service{}, pool, used); err == nil {
		t.Error("a full range gave an address")
	}
}
