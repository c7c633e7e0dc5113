// Package dns answers a cluster's names after the Kubernetes DNS specification 1.1.0: services, their endpoints, pods by
// address, and the way back from addresses to names. Everything else it asks the host's resolvers, with bounds on time,
// on questions under way and on what it remembers. It never scans objects at a question, and never opens a connection
// to the API server: its index follows informers that its caller gives it.
package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// Config says what a server answers for.
type Config struct {
	Domain    string // "cluster.local"
	ServiceIP netip.Addr
	// Ranges are the cluster's addresses: their reverse names are answered here alone.
	Ranges    []netip.Prefix
	Informers informers.SharedInformerFactory
	// Upstreams lists the resolvers for all other names, as "address:port"; see HostResolvers. Nil is none.
	Upstreams func() []string
	// Dial connects to them; nil is a plain dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Server answers from one index, on any number of sockets.
type Server struct {
	domain  string // with the final dot
	ip      netip.Addr
	ranges  []netip.Prefix
	index   *index
	forward *forwarder
	ready   chan struct{}
	c       Config
}

// New makes a server; Run fills its index, Serve answers.
func New(c Config) *Server {
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Upstreams == nil {
		c.Upstreams = func() []string { return nil }
	}
	domain := dns.CanonicalName(c.Domain)
	return &Server{domain: domain, ip: c.ServiceIP, ranges: c.Ranges, index: newIndex(), c: c,
		forward: newForwarder(c.Upstreams, c.Dial, c.ServiceIP), ready: make(chan struct{})}
}

// Ready is closed when every service that was there at the start of Run is in the index.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Run follows services and their endpoints until ctx ends. The caller starts the informers. It is called once.
func (s *Server) Run(ctx context.Context) error {
	services, slices := s.c.Informers.Core().V1().Services().Informer(), s.c.Informers.Discovery().V1().EndpointSlices().Informer()
	one, err := services.AddEventHandler(handler(s.index.service))
	if err != nil {
		return fmt.Errorf("follow services: %w", err)
	}
	defer services.RemoveEventHandler(one)
	two, err := slices.AddEventHandler(handler(s.index.slice))
	if err != nil {
		return fmt.Errorf("follow endpoint slices: %w", err)
	}
	defer slices.RemoveEventHandler(two)
	if !cache.WaitFor(ctx, "", one.HasSyncedChecker(), two.HasSyncedChecker()) {
		return nil
	}
	close(s.ready)
	<-ctx.Done()
	return nil
}

// Serve answers on a packet socket and a listener, which it closes when ctx ends.
func (s *Server) Serve(ctx context.Context, udp net.PacketConn, tcp net.Listener) error {
	h := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		_, packets := w.LocalAddr().(*net.UDPAddr)
		// A writer that fails has lost its client.
		_ = w.WriteMsg(s.Answer(ctx, q, packets))
	})
	servers := []*dns.Server{
		{PacketConn: udp, Handler: h, UDPSize: maxUDP},
		{Listener: tcp, Handler: h, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, MaxTCPQueries: 128},
	}
	errs := make([]error, len(servers))
	var wg sync.WaitGroup
	for i, server := range servers {
		started := make(chan struct{})
		begun := sync.OnceFunc(func() { close(started) })
		server.NotifyStartedFunc = begun
		wg.Go(func() {
			defer begun()
			errs[i] = server.ActivateAndServe()
		})
		stop := context.AfterFunc(ctx, func() {
			<-started // before, a shutdown is an error
			_ = server.Shutdown()
		})
		defer stop()
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve names: %w", err)
	}
	return nil
}

// maxUDP is the largest packet that is read or written: what passes any path without fragments is less, but a client that
// asks for more on one machine may have it.
const maxUDP = 4096

// Answer answers one message. The answer fits the size the question allows where it goes by packet.
func (s *Server) Answer(ctx context.Context, q *dns.Msg, packet bool) *dns.Msg {
	r := new(dns.Msg)
	r.SetReply(q)
	r.RecursionAvailable, r.Compress = true, true
	edns := q.IsEdns0()
	switch {
	case q.Response || len(q.Question) != 1:
		r.Rcode = dns.RcodeFormatError
	case q.Opcode != dns.OpcodeQuery:
		r.Rcode = dns.RcodeNotImplemented
	case edns != nil && edns.Version() != 0:
		r.Rcode = dns.RcodeBadVers
	default:
		s.question(ctx, q, r)
	}
	size := dns.MinMsgSize
	if edns != nil {
		size = min(max(int(edns.UDPSize()), dns.MinMsgSize), maxUDP)
		r.SetEdns0(maxUDP, edns.Do())
		if r.Rcode == dns.RcodeBadVers {
			r.IsEdns0().SetVersion(0)
		}
	}
	if packet {
		r.Truncate(size)
	} else {
		r.Truncate(dns.MaxMsgSize)
	}
	return r
}

func (s *Server) question(ctx context.Context, q, r *dns.Msg) {
	asked := q.Question[0]
	name := dns.CanonicalName(asked.Name)
	switch {
	case asked.Qtype == dns.TypeAXFR || asked.Qtype == dns.TypeIXFR, asked.Qclass != dns.ClassINET && asked.Qclass != dns.ClassANY:
		r.Rcode = dns.RcodeRefused
	case dns.IsSubDomain(s.domain, name):
		r.Authoritative = true
		s.zone(ctx, r, asked, s.labels(name))
	case strings.HasSuffix(name, ".in-addr.arpa.") || strings.HasSuffix(name, ".ip6.arpa."):
		s.reverse(ctx, q, r, asked, name)
	default:
		s.forward.answer(ctx, q, r)
	}
}

// labels are a name's labels before the domain, the last first.
func (s *Server) labels(name string) []string {
	all := dns.SplitDomainName(name)
	own := all[:len(all)-dns.CountLabel(s.domain)]
	out := make([]string, len(own))
	for i, l := range own {
		out[len(own)-1-i] = l
	}
	return out
}
