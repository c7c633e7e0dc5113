package dns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	attemptTimeout = 2 * time.Second // for one resolver
	answerTimeout  = 4 * time.Second // for all: clients ask again after 5 s
	maxUnderWay    = 256
)

// forwarder asks other resolvers, and remembers what they said.
type forwarder struct {
	upstreams func() []string
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	self      netip.Addr
	slots     chan struct{}
	cache     *answers
}

func newForwarder(upstreams func() []string, dial func(context.Context, string, string) (net.Conn, error), self netip.Addr) *forwarder {
	return &forwarder{upstreams: upstreams, dial: dial, self: self, slots: make(chan struct{}, maxUnderWay), cache: newAnswers(maxAnswers)}
}

// answer fills r with what the resolvers say to q's question; SERVFAIL when none can be asked or says anything.
func (f *forwarder) answer(ctx context.Context, q, r *dns.Msg) {
	if !q.RecursionDesired {
		r.Rcode = dns.RcodeRefused
		return
	}
	key := keyOf(q)
	got := f.cache.get(key, time.Now())
	if got == nil {
		var err error
		if got, err = f.exchange(ctx, q); err != nil {
			r.Rcode = dns.RcodeServerFailure
			return
		}
		f.cache.put(key, got, time.Now())
	}
	r.Rcode, r.AuthenticatedData = got.Rcode, got.AuthenticatedData
	r.Answer, r.Ns, r.Extra = got.Answer, got.Ns, plain(got.Extra)
}

// plain leaves out what belongs to one hop.
func plain(rrs []dns.RR) []dns.RR {
	var out []dns.RR
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			out = append(out, rr)
		}
	}
	return out
}

var errNoUpstream = errors.New("no resolver to ask")

func (f *forwarder) exchange(ctx context.Context, q *dns.Msg) (*dns.Msg, error) {
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	default:
		return nil, errors.New("too many questions under way")
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	out := new(dns.Msg)
	out.SetQuestion(q.Question[0].Name, q.Question[0].Qtype)
	out.Question[0].Qclass = q.Question[0].Qclass
	o := q.IsEdns0()
	out.SetEdns0(1232, o != nil && o.Do())
	out.CheckingDisabled = q.CheckingDisabled
	err := errNoUpstream
	var last *dns.Msg
	for _, upstream := range f.upstreams() {
		if host, _, splitErr := net.SplitHostPort(upstream); splitErr != nil || host == f.self.String() {
			continue
		}
		var got *dns.Msg
		if got, err = f.ask(ctx, "udp", upstream, out); err == nil && got.Truncated {
			got, err = f.ask(ctx, "tcp", upstream, out)
		}
		if err == nil && (got.Rcode == dns.RcodeSuccess || got.Rcode == dns.RcodeNameError) {
			return got, nil
		}
		if err == nil {
			last = got // refused or failing: the next one may know
		}
		if ctx.Err() != nil {
			break
		}
	}
	if last != nil {
		return last, nil
	}
	return nil, err
}

// ask sends a question over one connection and takes the first answer that is one to it.
func (f *forwarder) ask(ctx context.Context, network, upstream string, q *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	conn, err := f.dial(ctx, network, upstream)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	q = q.Copy()
	q.Id = dns.Id()
	c := &dns.Conn{Conn: conn, UDPSize: 4096}
	if err := c.WriteMsg(q); err != nil {
		return nil, err
	}
	for {
		got, err := c.ReadMsg()
		if err != nil {
			return nil, err
		}
		if got.Id == q.Id && got.Response && len(got.Question) == 1 && got.Question[0].Qtype == q.Question[0].Qtype &&
			strings.EqualFold(got.Question[0].Name, q.Question[0].Name) {
			return got, nil
		}
	}
}

// HostResolvers lists the name servers of a resolv.conf, reading it again when it has changed.
func HostResolvers(path string) func() []string {
	var mu sync.Mutex
	var stamp time.Time
	var servers []string
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		info, err := os.Stat(path)
		if err != nil {
			return nil
		}
		if !info.ModTime().Equal(stamp) {
			stamp, servers = info.ModTime(), nil
			if c, err := dns.ClientConfigFromFile(path); err == nil {
				for _, s := range c.Servers {
					servers = append(servers, net.JoinHostPort(s, c.Port))
				}
			}
		}
		return servers
	}
}
