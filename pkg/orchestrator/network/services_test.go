//go:build linux

package network

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	cachetest "k8s.io/client-go/tools/cache/testing"

	"github.com/kubeskiff/skiff/pkg/orchestrator/network/dns"
)

// objects are informers over two lists that the test changes.
type objects struct {
	informers.SharedInformerFactory
	services, slices *cachetest.FakeControllerSource
}

func newObjects(t *testing.T) objects {
	o := objects{informers.NewSharedInformerFactory(nil, 0), cachetest.NewFakeControllerSource(), cachetest.NewFakeControllerSource()}
	inform := func(kind runtime.Object, from *cachetest.FakeControllerSource) {
		o.InformerFor(kind, func(kubernetes.Interface, time.Duration) cache.SharedIndexInformer {
			return cache.NewSharedIndexInformer(from, kind, 0, cache.Indexers{})
		})
	}
	inform(&corev1.Service{}, o.services)
	inform(&discoveryv1.EndpointSlice{}, o.slices)
	return o
}

func TestRunServicesAndNames(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := newMachine(t, 2, false)
	a, b := m.pod(1, "a").serve(8080), m.pod(2, "b").serve(8080)
	o := newObjects(t)
	web := service("web", 80, 30080)
	o.services.Add(web)
	o.slices.Add(slice(web, ready(a)))

	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	applied := make(chan struct{}, 100)
	names := dns.New(dns.Config{Domain: "cluster.local", ServiceIP: m.f.DNSIP(), Informers: o})
	run := func(f func() error) {
		running.Go(func() {
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	}
	run(func() error { return names.Run(ctx) })
	for _, n := range m.nodes {
		up, rules := make(chan struct{}), make(chan struct{})
		run(func() error { return n.ServeDNS(ctx, names, func() { close(up) }) })
		run(func() error {
			return n.RunServices(ctx, o, Hooks{Ready: func() { close(rules) },
				Applied: func(int, time.Duration) { applied <- struct{}{} }, Failed: func(err error) { t.Error(err) }})
		})
		defer func() { <-up; <-rules }()
	}
	o.Start(ctx.Done())
	<-names.Ready()
	<-applied
	<-applied

	m.wantAnswer("cluster IP", from(b), "tcp", "10.96.0.20:80", "a", b.ip)
	m.eventually("host's loopback", from(nil), "tcp", "127.0.0.1:30080", "a")
	for _, p := range []*pod{a, b, nil} {
		for _, network := range []string{"udp", "tcp"} {
			if got := lookup(t, from(p), network, "web.default.svc.cluster.local."); got != "10.96.0.20" {
				t.Errorf("name by %s: %s", network, got)
			}
		}
	}
	o.slices.Modify(slice(web, ready(b)))
	m.eventually("endpoint moved", from(a), "tcp", "10.96.0.20:80", "b")

	udp := service("udp", 53, 30053)
	udp.Spec.ClusterIP, udp.Spec.Ports[0].Protocol = "10.96.0.30", corev1.ProtocolUDP
	o.services.Add(udp)
	o.slices.Add(slice(udp, ready(b)))
	m.eventually("UDP on the host's loopback", from(nil), "udp", "127.0.0.1:30053", "b")
	o.services.Delete(web)
	m.refused("deleted service", from(nil), "127.0.0.1:30080")
	m.refused("deleted service", from(a), "10.96.0.20:80")
}

// eventually asks until the answer is right.
func (m *machine) eventually(what string, dial dialFunc, network, address, want string) {
	m.t.Helper()
	for until := time.Now().Add(5 * time.Second); ; {
		got, _, err := ask(dial, network, address)
		if got == want {
			return
		}
		if time.Now().After(until) {
			m.t.Errorf("%s: %s: got %q, %v, want %q", what, address, got, err, want)
			return
		}
	}
}

func (m *machine) refused(what string, dial dialFunc, address string) {
	m.t.Helper()
	var err error
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); {
		if _, _, err = ask(dial, "tcp", address); err != nil && strings.Contains(err.Error(), "refused") {
			return
		}
	}
	m.t.Errorf("%s: %s: got %v, want refused", what, address, err)
}

func lookup(t *testing.T, dial dialFunc, network, name string) string {
	t.Helper()
	conn, err := dial(t.Context(), network, "10.96.0.10:53")
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	r, _, err := (&mdns.Client{Net: network, Timeout: 2 * time.Second}).ExchangeWithConn(new(mdns.Msg).SetQuestion(name, mdns.TypeA), &mdns.Conn{Conn: conn})
	if err != nil {
		return err.Error()
	}
	for _, rr := range r.Answer {
		return rr.(*mdns.A).A.String()
	}
	return mdns.RcodeToString[r.Rcode]
}

// TestThousandServices is the whole table at once, then one endpoint's change.
func TestThousandServices(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := newMachine(t, 1, false)
	n := m.nodes[0]
	parts := map[string]part{}
	plan := func(i, first int) {
		svc := service(fmt.Sprintf("s%d", i), 80, 0)
		svc.Spec.ClusterIP = netip.AddrFrom4([4]byte{10, 96, byte(1 + i/250), byte(i % 250)}).String()
		var eps []discoveryv1.Endpoint
		for j := range 10 {
			eps = append(eps, on("n1", netip.AddrFrom4([4]byte{10, 244, byte(i % 250), byte(first + j)}).String(), discoveryv1.EndpointConditions{}))
		}
		parts[svc.Name] = planService(n.view(), svc, []*discoveryv1.EndpointSlice{slice(svc, eps...)})
	}
	for i := range 1000 {
		plan(i, 10)
	}
	started := time.Now()
	if err := n.rules.apply(parts, true); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(started)
	clear(parts)
	plan(500, 11)
	started = time.Now()
	if err := n.rules.apply(parts, false); err != nil {
		t.Fatal(err)
	}
	t.Logf("1000 services of 10 endpoints: %v; one endpoint's change: %v", whole, time.Since(started))
	if whole > 5*time.Second {
		t.Errorf("1000 services took %v", whole)
	}
}

// TestNoConnectionMeetsAGoneEndpoint replaces endpoints under load: each goes away as soon as no rule names it.
func TestNoConnectionMeetsAGoneEndpoint(t *testing.T) {
	if !isolated(t) {
		return
	}
	m := newMachine(t, 2, false)
	web := service("web", 80, 0)
	pods := []*pod{m.pod(1, "a").serve(8080), m.pod(2, "b").serve(8080)}
	m.program(web, slice(web, ready(pods[0]), ready(pods[1])))
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	done := make(chan struct{})
	asking.Go(func() {
		defer close(done)
		for ctx.Err() == nil {
			if who, _, err := ask(from(nil), "tcp", "10.96.0.20:80"); err != nil || who == "" {
				t.Errorf("a connection failed: %q, %v", who, err)
			}
			select {
			case done <- struct{}{}:
			default:
			}
		}
	})
	for i := range 10 {
		gone := pods[0]
		next := m.pod(1+i%2, fmt.Sprintf("p%d", i)).serve(8080)
		pods = []*pod{pods[1], next}
		m.program(web, slice(web, ready(pods[0]), ready(next)))
		if err := m.f.Drained(t.Context(), m.addr(gone), func() bool { return false }); err != nil {
			t.Fatal(err)
		}
		<-done // what began before it was drained is answered
		<-done
		if err := gone.node.Detach(t.Context(), gone.id); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	asking.Wait()
}

func TestTrackerForgets(t *testing.T) {
	tr := &tracker{services: map[string]*corev1.Service{}, slices: map[string]map[string]*discoveryv1.EndpointSlice{}, dirty: map[string]bool{}, wake: make(chan struct{}, 1)}
	web := service("web", 80, 0)
	one := slice(web, on("n1", "10.244.0.2", discoveryv1.EndpointConditions{}))
	moved := one.DeepCopy()
	moved.Labels = map[string]string{discoveryv1.LabelServiceName: "other"}
	tr.service(nil, web)
	tr.slice(nil, one)
	v := view{name: "n1"}
	if got := tr.plan(v, tr.take())["default/web"]; len(got.chains) != 1 {
		t.Errorf("got %v", got)
	}
	tr.slice(one, moved)
	got := tr.plan(v, tr.take())
	if _, other := got["default/other"]; len(got["default/web"].chains) != 0 || !other {
		t.Errorf("slice moved: %v", got)
	}
	tr.slice(moved, nil)
	tr.service(web, nil)
	if got := tr.plan(v, tr.take()); len(got["default/web"].entries) != 0 || len(tr.services)+len(tr.slices) != 0 {
		t.Errorf("all is gone: %v %v", got, tr)
	}
}
