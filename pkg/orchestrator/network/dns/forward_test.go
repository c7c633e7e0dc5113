package dns

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// upstream is a resolver on loopback.
func upstream(t *testing.T, h dns.HandlerFunc) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{PacketConn: c, Handler: h}, {Listener: l, Handler: h}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go s.ActivateAndServe()
		<-started
		t.Cleanup(func() { s.Shutdown() })
	}
	return c.LocalAddr().String()
}

func forwarding(upstreams ...string) *Server {
	return New(Config{Domain: "cluster.local", ServiceIP: netip.MustParseAddr("10.96.0.10"), Upstreams: func() []string { return upstreams }})
}

func TestForwardAndCache(t *testing.T) {
	var asked atomic.Int32
	good := upstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		asked.Add(1)
		r := new(dns.Msg).SetReply(q)
		if _, packet := w.LocalAddr().(*net.UDPAddr); packet {
			r.Truncated = true // the answer comes by TCP
		} else {
			rr, _ := dns.NewRR("example.com. 60 IN A 192.0.2.1")
			r.Answer = append(r.Answer, rr)
		}
		w.WriteMsg(r)
	})
	bad := upstream(t, func(w dns.ResponseWriter, q *dns.Msg) { w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeRefused)) })
	s := forwarding("10.96.0.10:53", bad, good)
	for range 3 {
		r := s.Answer(t.Context(), new(dns.Msg).SetQuestion("example.com.", dns.TypeA), true)
		if got, want := brief(r), "NOERROR; example.com. A 192.0.2.1"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times, want twice (packet, then stream)", n)
	}
	none := forwarding()
	if r := none.Answer(t.Context(), new(dns.Msg).SetQuestion("example.com.", dns.TypeA), true); r.Rcode != dns.RcodeServerFailure {
		t.Errorf("without resolvers: %s", dns.RcodeToString[r.Rcode])
	}
}

func TestSilentUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newForwarder(func() []string { return []string{"a:53", "b:53", "c:53"} },
			func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }, netip.Addr{})
		started := time.Now()
		r := new(dns.Msg)
		f.answer(t.Context(), new(dns.Msg).SetQuestion("example.com.", dns.TypeA), r)
		if took := time.Since(started); r.Rcode != dns.RcodeServerFailure || took > answerTimeout {
			t.Errorf("%s after %v", dns.RcodeToString[r.Rcode], took)
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	a, now := newAnswers(2), time.Now()
	for _, name := range []string{"a.", "b.", "c."} {
		q := new(dns.Msg).SetQuestion(name, dns.TypeA)
		rr, _ := dns.NewRR(name + " 10 IN A 192.0.2.1")
		r := new(dns.Msg).SetReply(q)
		r.Answer = append(r.Answer, rr)
		a.put(keyOf(q), r, now)
	}
	get := func(name string, at time.Time) *dns.Msg {
		return a.get(keyOf(new(dns.Msg).SetQuestion(name, dns.TypeA)), at)
	}
	if get("a.", now) != nil || get("b.", now) == nil || get("C.", now) == nil {
		t.Error("the oldest went not first")
	}
	if m := get("b.", now.Add(4*time.Second)); m.Answer[0].Header().Ttl != 6 {
		t.Errorf("time to live after 4 s: %d", m.Answer[0].Header().Ttl)
	}
	if get("b.", now.Add(10*time.Second)) != nil {
		t.Error("answer outlived itself")
	}
}

func TestLifetime(t *testing.T) {
	for _, c := range []struct {
		rcode   int
		answers []string
		ns      string
		want    time.Duration
	}{
		{dns.RcodeSuccess, []string{"a. 30 IN A 192.0.2.1", "a. 20 IN A 192.0.2.2"}, "", 20 * time.Second},
		{dns.RcodeSuccess, []string{"a. 90000 IN A 192.0.2.1"}, "", longest},
		{dns.RcodeNameError, nil, "a. 20 IN SOA a. b. 1 2 3 4 10", 10 * time.Second},
		{dns.RcodeSuccess, nil, "", 0},
		{dns.RcodeServerFailure, nil, "", 0},
	} {
		m := &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: c.rcode}}
		for _, s := range c.answers {
			rr, _ := dns.NewRR(s)
			m.Answer = append(m.Answer, rr)
		}
		if c.ns != "" {
			rr, _ := dns.NewRR(c.ns)
			m.Ns = append(m.Ns, rr)
		}
		if got := lifetime(m); got != c.want {
			t.Errorf("%v: got %v, want %v", c, got, c.want)
		}
	}
}

func TestHostResolvers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	read := HostResolvers(path)
	if got := read(); got != nil {
		t.Errorf("no file: %v", got)
	}
	os.WriteFile(path, []byte("nameserver 127.0.0.53\nnameserver ::1\n"), 0o600)
	if got := read(); !slices.Equal(got, []string{"127.0.0.53:53", "[::1]:53"}) {
		t.Errorf("got %v", got)
	}
}

func TestServe(t *testing.T) {
	s := fixture()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, c, l) }()
	for network, at := range map[string]string{"udp": c.LocalAddr().String(), "tcp": l.Addr().String()} {
		r, _, err := (&dns.Client{Net: network}).Exchange(new(dns.Msg).SetQuestion("web.default.svc.cluster.local.", dns.TypeA), at)
		if err != nil || brief(r) != "NOERROR; web.default.svc.cluster.local. A 10.96.0.20" {
			t.Errorf("%s: %v %v", network, r, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
