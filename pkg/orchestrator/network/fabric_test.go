//go:build linux

package network

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func TestPodsReachEachOther(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := newMachine(t, 3, false)
	a, b, c, d := m.pod(1, "a").serve(80), m.pod(1, "b").serve(80), m.pod(2, "c").serve(80), m.pod(3, "d").serve(80)
	for _, from1 := range []*pod{a, b, c, d} {
		for _, to := range []*pod{a, b, c, d} {
			m.wantAnswer(from1.id+" to "+to.id, from(from1), "tcp", to.ip+":80", to.id, from1.ip)
		}
	}
	for _, to := range []*pod{a, c, d} {
		m.wantAnswer("host to "+to.id, from(nil), "tcp", to.ip+":80", to.id, "10.65.0.1")
		m.wantAnswer("own node to "+to.id, to.node.Dial, "tcp", to.ip+":80", to.id, to.node.IP().String())
		m.wantAnswer("node 2 to "+to.id, m.nodes[1].Dial, "udp", to.ip+":80", to.id, m.nodes[1].IP().String())
	}
	for _, address := range []string{"10.244.0.200:80", "10.244.77.1:80", "192.0.2.1:80", "10.96.3.3:80"} {
		if _, _, err := ask(from(c), "tcp", address); err == nil || os.IsTimeout(err) {
			t.Errorf("pod c to %s: got %v, want a quick refusal", address, err)
		}
	}
}

func TestServices(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := newMachine(t, 2, false)
	a, b := m.pod(1, "a").serve(8080), m.pod(2, "b").serve(8080)
	web := service("web", 80, 30080)
	web.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "10.64.0.1"}}
	web.Spec.ExternalIPs = []string{"192.0.2.7"}
	udp := service("udp", 53, 30053)
	udp.Spec.ClusterIP, udp.Spec.Ports[0].Protocol = "10.96.0.30", corev1.ProtocolUDP
	none := service("none", 80, 30081)
	none.Spec.ClusterIP = "10.96.0.40"
	m.program(web, slice(web, ready(a), ready(b)))
	m.program(udp, slice(udp, ready(a)))
	m.program(none)
	t.Run("both endpoints answer", func(t *testing.T) {
		for i, dial := range []dialFunc{from(a), from(b), from(nil), m.nodes[0].Dial, m.nodes[1].Dial} {
			for _, address := range []string{"10.96.0.20:80", "10.64.0.1:80", "10.65.0.2:30080", "10.65.0.3:30080"} {
				seen := map[string]bool{}
				for range 30 {
					who, _, err := ask(dial, "tcp", address)
					if err != nil {
						t.Fatalf("dialer %d: %s: %v", i, address, err)
					}
					seen[who] = true
				}
				if !seen["a"] || !seen["b"] {
					t.Errorf("%s: only %v answered", address, seen)
				}
			}
		}
	})
	if _, saw, err := ask(from(b), "tcp", "192.0.2.7:80"); err != nil || saw != "10.65.0.3" {
		t.Errorf("external address: saw %s, %v, want the node's address", saw, err)
	}
	m.wantAnswer("udp cluster IP", from(b), "udp", "10.96.0.30:53", "a", b.ip)
	m.wantAnswer("udp node port", from(nil), "udp", "10.65.0.3:30053", "a", "")
	m.wantAnswer("udp node port on the node's loopback", m.nodes[1].Dial, "udp", "127.0.0.1:30053", "a", "")
	for _, address := range []string{"10.96.0.40:80", "10.65.0.2:30081", "10.65.0.3:30081", "10.96.0.20:81"} {
		for _, dial := range []dialFunc{from(a), from(nil), m.nodes[1].Dial} {
			if _, _, err := ask(dial, "tcp", address); err == nil || !strings.Contains(err.Error(), "refused") {
				t.Errorf("%s without endpoints: got %v, want refused", address, err)
			}
		}
	}
	m.program(udp, slice(udp, ready(b)))
	m.wantAnswer("udp after its endpoint moved", from(b), "udp", "10.96.0.30:53", "b", "")
	m.program(web)
	if _, _, err := ask(from(a), "tcp", "10.96.0.20:80"); err == nil {
		t.Error("service without endpoints still answers")
	}
}

func TestSetUpAgainAndTeardown(t *testing.T) {
	if !isolated(t) {
		return
	}
	before := traces(t)
	m := newMachine(t, 2, true)
	a, b := m.pod(1, "a").serve(80).serve(8080), m.pod(2, "b").serve(80).serve(8080)
	web := service("web", 80, 0)
	m.program(web, slice(web, ready(b)))
	if on, err := forwards(); err != nil || !on {
		t.Errorf("forwarding with egress: %v %v", on, err)
	}
	m.close() // as after SIGKILL: everything stays
	m.open(2)
	again, err := m.nodes[0].Attach(t.Context(), "a", a.ns.path, nil)
	if err != nil || again[0] != a.ip {
		t.Errorf("attach again: got %v, %v, want %s", again, err, a.ip)
	}
	m.wantAnswer("after taking up", from(a), "tcp", b.ip+":80", "b", a.ip)
	m.wantAnswer("rules of the process before", from(a), "tcp", "10.96.0.20:80", "b", a.ip)
	m.program(web, slice(web, ready(a)))
	if err := deleteLink(m.f.hub.nl, uplink); err != nil {
		t.Fatal(err)
	}
	m.close()
	m.open(2)
	m.wantAnswer("after losing the link", from(nil), "tcp", b.ip+":80", "b", "")
	if err := m.nodes[1].Detach(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	m.close()
	for range 2 {
		if err := Teardown(t.Context(), "test", m.c.Dir); err != nil {
			t.Fatal(err)
		}
		if after := traces(t); !slices.Equal(after, before) {
			t.Errorf("left behind:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
		}
	}
	if _, err := os.Stat(m.c.Dir + "/network"); err == nil {
		t.Error("files are left")
	}
}

// traces lists what a network can leave on a host.
func traces(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, args := range [][]string{{"ip", "-o", "link"}, {"ip", "route", "show", "table", "all"}, {"ip", "-o", "addr"}, {"nft", "list", "ruleset"}, {"ip", "neigh"},
		{"grep", "-c", "nsfs.*cluster", "/proc/self/mountinfo"}, {"cat", "/proc/sys/net/ipv4/ip_forward"}} {
		text, _ := exec.Command(args[0], args[1:]...).Output()
		out = append(out, strings.Split(string(text), "\n")...)
	}
	return out
}

func TestHostPorts(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := newMachine(t, 2, false)
	a, b := m.pod(2, "a").serve(80), m.pod(1, "b")
	ports := []container.HostPort{{HostPort: 8080, ContainerPort: 80}, {HostPort: 8081, ContainerPort: 80, HostIP: "10.65.0.3", Protocol: "UDP"}}
	if err := a.node.Detach(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	ips, err := a.node.Attach(t.Context(), "a2", a.ns.path, ports)
	if err != nil || ips[0] == a.ip {
		t.Fatalf("attach with ports: %v %v", ips, err)
	}
	m.wantAnswer("host", from(nil), "tcp", "10.65.0.3:8080", "a", "10.65.0.1")
	m.wantAnswer("pod", from(b), "tcp", "10.65.0.3:8080", "a", b.ip)
	m.wantAnswer("itself", from(a), "tcp", "10.65.0.3:8080", "a", "10.65.0.3")
	m.wantAnswer("udp", from(b), "udp", "10.65.0.3:8081", "a", b.ip)
	m.wantAnswer("loopback", a.node.Dial, "tcp", "127.0.0.1:8080", "a", "10.65.0.3")
	if err := a.node.Detach(t.Context(), "a2"); err != nil {
		t.Fatal(err)
	}
	m.refused("after detach", from(nil), "10.65.0.3:8080")
}

func TestAffinityAndHairpin(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := newMachine(t, 1, false)
	a, b := m.pod(1, "a").serve(8080), m.pod(1, "b").serve(8080)
	web := service("web", 80, 30080)
	web.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
	m.program(web, slice(web, ready(a), ready(b)))
	first, _, err := ask(from(nil), "tcp", "10.96.0.20:80")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		m.wantAnswer("affinity", from(nil), "tcp", "10.96.0.20:80", first, "")
	}
	left, gone := a, b
	if first == "a" {
		left, gone = b, a
	}
	m.program(web, slice(web, ready(left)))
	m.wantAnswer("its endpoint went", from(nil), "tcp", "10.96.0.20:80", left.id, "")
	m.program(web, slice(web, ready(left), ready(gone)))
	for range 20 {
		m.wantAnswer("affinity to the new one", from(nil), "tcp", "10.96.0.20:80", left.id, "")
	}
	web.Spec.SessionAffinity = corev1.ServiceAffinityNone
	m.program(web, slice(web, ready(a)))
	m.wantAnswer("hairpin", from(a), "tcp", "10.96.0.20:80", "a", "10.65.0.2")
	m.wantAnswer("no hairpin", from(b), "tcp", "10.96.0.20:80", "a", b.ip)
}

func TestDrained(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := newMachine(t, 2, false)
	a, b := m.pod(1, "a").serve(8080), m.pod(2, "b").serve(8080)
	yes, no := true, false
	leaves := func(p *pod) discoveryv1.Endpoint {
		e := ready(p)
		e.Conditions = discoveryv1.EndpointConditions{Ready: &no, Serving: &yes, Terminating: &yes}
		return e
	}
	drained := func(p *pod, told bool) bool {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // one look
		return m.f.Drained(ctx, m.addr(p), func() bool { return told }) == nil
	}
	web := service("web", 80, 0)
	for _, c := range []struct {
		name     string
		eps      []discoveryv1.Endpoint
		of       *pod
		told, is bool
	}{
		{"an endpoint", []discoveryv1.Endpoint{ready(a), ready(b)}, a, false, false},
		{"no endpoint", []discoveryv1.Endpoint{ready(a)}, b, false, true},
		{"no endpoint yet", []discoveryv1.Endpoint{ready(a)}, b, true, false},
		{"one that leaves", []discoveryv1.Endpoint{ready(a), leaves(b)}, b, true, true},
		{"the last one, which still gets what comes", []discoveryv1.Endpoint{leaves(b)}, b, true, true},
	} {
		m.program(web, slice(web, c.eps...))
		if got := drained(c.of, c.told); got != c.is {
			t.Errorf("%s: drained: %v", c.name, got)
		}
	}
	// A node whose rules are of before counts.
	if err := m.nodes[1].rules.apply(map[string]part{web.Name: planService(m.nodes[1].view(), web,
		[]*discoveryv1.EndpointSlice{slice(web, ready(a), ready(b))})}, false); err != nil {
		t.Fatal(err)
	}
	if drained(b, true) {
		t.Error("one node sends to b still, yet it is drained")
	}
}

func TestTrafficPolicies(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := newMachine(t, 2, false)
	a, b := m.pod(1, "a"), m.pod(2, "b").serve(8080)
	local := service("local", 80, 30080)
	local.Spec.ExternalTrafficPolicy = corev1.ServiceExternalTrafficPolicyLocal
	local.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "10.64.0.1"}}
	local.Spec.LoadBalancerSourceRanges = []string{"10.65.0.1/32"}
	m.program(local, slice(local, ready(b)))
	m.wantAnswer("source is kept", from(nil), "tcp", "10.65.0.3:30080", "b", "10.65.0.1")
	m.wantAnswer("by the balancer too", from(nil), "tcp", "10.64.0.1:80", "b", "10.65.0.1")
	m.wantAnswer("from a node without endpoints", m.nodes[0].Dial, "tcp", "10.65.0.2:30080", "b", "")
	if _, _, err := ask(from(a), "tcp", "10.64.0.1:80"); err == nil {
		t.Error("pod outside loadBalancerSourceRanges got through")
	}
	if _, _, err := ask(from(nil), "tcp", "10.65.0.2:30080"); err == nil {
		t.Error("node port of a node without endpoints answers")
	}
}

func (m *machine) program(svc *corev1.Service, s ...*discoveryv1.EndpointSlice) {
	m.t.Helper()
	for _, n := range m.nodes {
		if err := n.rules.apply(map[string]part{svc.Name: planService(n.view(), svc, s)}, n.rules.inherited); err != nil {
			m.t.Fatal(err)
		}
	}
}
