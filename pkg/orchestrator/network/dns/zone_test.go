package dns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func ptr[T any](v T) *T { return &v }

// fixture is a server that knows a few services and may ask nobody.
func fixture() *Server {
	s := New(Config{Domain: "cluster.local", ServiceIP: netip.MustParseAddr("10.96.0.10"),
		Ranges: []netip.Prefix{netip.MustParsePrefix("10.96.0.0/16"), netip.MustParsePrefix("10.244.0.0/16")},
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("no network in this test")
		}})
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "default", Name: name} }
	add := func(name string, spec corev1.ServiceSpec) {
		s.index.service(nil, &corev1.Service{ObjectMeta: meta(name), Spec: spec})
	}
	add("web", corev1.ServiceSpec{ClusterIP: "10.96.0.20", Ports: []corev1.ServicePort{
		{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP}, {Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP}}})
	add("db", corev1.ServiceSpec{ClusterIP: "None", Ports: []corev1.ServicePort{{Name: "sql", Port: 5432}}})
	add("lonely", corev1.ServiceSpec{ClusterIP: "None"})
	add("far", corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "web.default.svc.cluster.local"})
	add("loop", corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "loop.default.svc.cluster.local"})
	add("outside", corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "example.com"})
	om := meta("db-1")
	om.Labels = map[string]string{discoveryv1.LabelServiceName: "db"}
	s.index.slice(nil, &discoveryv1.EndpointSlice{ObjectMeta: om, AddressType: discoveryv1.AddressTypeIPv4,
		Ports: []discoveryv1.EndpointPort{{Name: ptr("sql"), Port: ptr[int32](15432), Protocol: ptr(corev1.ProtocolTCP)}},
		Endpoints: []discoveryv1.Endpoint{
			{Addresses: []string{"10.244.0.5"}, Hostname: ptr("db-0")},
			{Addresses: []string{"10.244.0.6"}},
			{Addresses: []string{"10.244.0.7"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr(false)}},
		}})
	return s
}

// brief writes an answer as the code, the answers, and "+" before what is added.
func brief(m *dns.Msg) string {
	short := func(rrs []dns.RR, prefix string) (out []string) {
		for _, rr := range rrs {
			f := strings.Fields(rr.String())
			out = append(out, prefix+f[0]+" "+strings.Join(f[3:], " "))
		}
		slices.Sort(out)
		return out
	}
	parts := []string{dns.RcodeToString[m.Rcode]}
	parts = append(parts, short(m.Answer, "")...)
	for _, rr := range m.Ns {
		parts = append(parts, "!"+dns.TypeToString[rr.Header().Rrtype])
	}
	return strings.Join(append(parts, short(m.Extra, "+")...), "; ")
}

func TestAnswers(t *testing.T) {
	s := fixture()
	const zone = ".default.svc.cluster.local. "
	for _, c := range []struct{ name, kind, want string }{
		{"web.default.svc.cluster.local.", "A", "NOERROR; web" + zone + "A 10.96.0.20"},
		{"WEB.Default.svc.Cluster.Local.", "A", "NOERROR; WEB.Default.svc.Cluster.Local. A 10.96.0.20"},
		{"web.default.svc.cluster.local.", "AAAA", "NOERROR; !SOA"},
		{"web.default.svc.cluster.local.", "MX", "NOERROR; !SOA"},
		{"web.other.svc.cluster.local.", "A", "NXDOMAIN; !SOA"},
		{"x.web.default.svc.cluster.local.", "A", "NXDOMAIN; !SOA"},
		{"default.svc.cluster.local.", "A", "NOERROR; !SOA"},
		{"other.svc.cluster.local.", "A", "NXDOMAIN; !SOA"},
		{"svc.cluster.local.", "A", "NOERROR; !SOA"},
		{"nothing.cluster.local.", "A", "NXDOMAIN; !SOA"},
		{"cluster.local.", "NS", "NOERROR; cluster.local. NS ns.dns.cluster.local.; +ns.dns.cluster.local. A 10.96.0.10"},
		{"ns.dns.cluster.local.", "A", "NOERROR; ns.dns.cluster.local. A 10.96.0.10"},
		{"dns-version.cluster.local.", "TXT", `NOERROR; dns-version.cluster.local. TXT "1.1.0"`},
		{"db.default.svc.cluster.local.", "A", "NOERROR; db" + zone + "A 10.244.0.5; db" + zone + "A 10.244.0.6"},
		{"db-0.db.default.svc.cluster.local.", "A", "NOERROR; db-0.db" + zone + "A 10.244.0.5"},
		{"10-244-0-6.db.default.svc.cluster.local.", "A", "NOERROR; 10-244-0-6.db" + zone + "A 10.244.0.6"},
		{"10-244-0-7.db.default.svc.cluster.local.", "A", "NXDOMAIN; !SOA"},
		{"lonely.default.svc.cluster.local.", "A", "NXDOMAIN; !SOA"},
		{"_http._tcp.web.default.svc.cluster.local.", "SRV", "NOERROR; _http._tcp.web" + zone + "SRV 0 100 80 web" + zone[:len(zone)-1] + "; +web" + zone + "A 10.96.0.20"},
		{"_http._udp.web.default.svc.cluster.local.", "SRV", "NXDOMAIN; !SOA"},
		{"_tcp.web.default.svc.cluster.local.", "SRV", "NOERROR; !SOA"},
		{"_sql._tcp.db.default.svc.cluster.local.", "SRV", "NOERROR; _sql._tcp.db" + zone + "SRV 0 50 15432 10-244-0-6.db" + zone[:len(zone)-1] +
			"; _sql._tcp.db" + zone + "SRV 0 50 15432 db-0.db" + zone[:len(zone)-1] + "; +10-244-0-6.db" + zone + "A 10.244.0.6; +db-0.db" + zone + "A 10.244.0.5"},
		{"far.default.svc.cluster.local.", "A", "NOERROR; far" + zone + "CNAME web" + zone[:len(zone)-1] + "; web" + zone + "A 10.96.0.20"},
		{"outside.default.svc.cluster.local.", "CNAME", "NOERROR; outside" + zone + "CNAME example.com."},
		{"outside.default.svc.cluster.local.", "A", "NOERROR; outside" + zone + "CNAME example.com."},
		{"10-244-3-4.default.pod.cluster.local.", "A", "NOERROR; 10-244-3-4.default.pod.cluster.local. A 10.244.3.4"},
		{"fd00--7.default.pod.cluster.local.", "AAAA", "NOERROR; fd00--7.default.pod.cluster.local. AAAA fd00::7"},
		{"10-244-3.default.pod.cluster.local.", "A", "NXDOMAIN; !SOA"},
		{"20.0.96.10.in-addr.arpa.", "PTR", "NOERROR; 20.0.96.10.in-addr.arpa. PTR web" + zone[:len(zone)-1]},
		{"5.0.244.10.in-addr.arpa.", "PTR", "NOERROR; 5.0.244.10.in-addr.arpa. PTR db-0.db" + zone[:len(zone)-1]},
		{"99.0.244.10.in-addr.arpa.", "PTR", "NXDOMAIN; !SOA"},
		{"1.1.168.192.in-addr.arpa.", "PTR", "SERVFAIL"},
		{"example.com.", "A", "SERVFAIL"},
		{"cluster.local.", "AXFR", "REFUSED"},
	} {
		q := new(dns.Msg).SetQuestion(c.name, dns.StringToType[c.kind])
		if got := brief(s.Answer(t.Context(), q, true)); got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.name, c.kind, got, c.want)
		}
	}
	loop := s.Answer(t.Context(), new(dns.Msg).SetQuestion("loop.default.svc.cluster.local.", dns.TypeA), true)
	if len(loop.Answer) > maxAliases+1 {
		t.Errorf("a loop of aliases: %d answers", len(loop.Answer))
	}
}

func TestIndexFollowsChanges(t *testing.T) {
	s := fixture()
	x := s.index
	for _, o := range x.objects {
		x.service(o, nil)
	}
	for _, parts := range x.slices {
		for _, p := range parts {
			x.slice(p, nil)
		}
	}
	if n := len(x.entries) + len(x.namespaces) + len(x.reverse) + len(x.slices) + len(x.objects); n != 0 {
		t.Errorf("%d things are left in the index of nothing", n)
	}
}

func TestSizes(t *testing.T) {
	s := fixture()
	var eps []discoveryv1.Endpoint
	for i := range 200 {
		eps = append(eps, discoveryv1.Endpoint{Addresses: []string{netip.AddrFrom4([4]byte{10, 244, 9, byte(i)}).String()}})
	}
	s.index.service(nil, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "big"}, Spec: corev1.ServiceSpec{ClusterIP: "None"}})
	s.index.slice(nil, &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "big-1",
		Labels: map[string]string{discoveryv1.LabelServiceName: "big"}}, Endpoints: eps})
	for _, c := range []struct {
		edns      uint16
		packet    bool
		truncated bool
		atMost    int
	}{{0, true, true, 512}, {1232, true, true, 1232}, {4096, true, false, 4096}, {0, false, false, 65535}} {
		q := new(dns.Msg).SetQuestion("big.default.svc.cluster.local.", dns.TypeA)
		if c.edns > 0 {
			q.SetEdns0(c.edns, false)
		}
		r := s.Answer(t.Context(), q, c.packet)
		wire, err := r.Pack()
		if err != nil || r.Truncated != c.truncated || len(wire) > c.atMost || (r.IsEdns0() != nil) != (c.edns > 0) {
			t.Errorf("%+v: %d bytes, truncated %v, %v", c, len(wire), r.Truncated, err)
		}
	}
	q := new(dns.Msg).SetQuestion("web.default.svc.cluster.local.", dns.TypeA).SetEdns0(1232, false)
	q.IsEdns0().SetVersion(1)
	if r := s.Answer(t.Context(), q, true); r.Rcode != dns.RcodeBadVers {
		t.Errorf("EDNS version 1: %s", dns.RcodeToString[r.Rcode])
	}
}

func FuzzAnswer(f *testing.F) {
	s := fixture()
	for _, name := range []string{"web.default.svc.cluster.local.", "5.0.244.10.in-addr.arpa.", "_a._tcp.b.c.svc.cluster.local.", "."} {
		wire, _ := new(dns.Msg).SetQuestion(name, dns.TypeSRV).SetEdns0(1232, true).Pack()
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		q := new(dns.Msg)
		if q.Unpack(wire) != nil {
			return
		}
		r := s.Answer(t.Context(), q, true)
		if out, err := r.Pack(); err == nil && len(out) > maxUDP {
			t.Errorf("%d bytes for %v", len(out), q)
		} else if err != nil && len(q.Question) == 1 {
			t.Errorf("answer to %v: %v", q, err)
		}
	})
}
