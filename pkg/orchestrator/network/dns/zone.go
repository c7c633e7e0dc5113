package dns

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// ttl is how long an answer of ours may be kept, in seconds: short, since endpoints come and go.
const ttl = 5

const schemaVersion = "1.1.0" // of the Kubernetes DNS specification

// zone answers a name in the cluster's domain; labels are those before it, the last first.
func (s *Server) zone(ctx context.Context, r *dns.Msg, q dns.Question, labels []string) {
	at := func(i int) string {
		if i < len(labels) {
			return labels[i]
		}
		return ""
	}
	switch {
	case len(labels) == 0:
		s.apex(r, q)
	case at(0) == "dns" && (len(labels) == 1 || len(labels) == 2 && at(1) == "ns"):
		if len(labels) == 2 {
			addresses(r, q, []netip.Addr{s.ip})
		}
	case at(0) == "dns-version" && len(labels) == 1:
		if q.Qtype == dns.TypeTXT {
			r.Answer = append(r.Answer, &dns.TXT{Hdr: header(q.Name, dns.TypeTXT), Txt: []string{schemaVersion}})
		}
	case at(0) == "svc":
		s.services(ctx, r, q, labels[1:])
	case at(0) == "pod":
		s.pods(r, q, labels[1:])
	default:
		r.Rcode = dns.RcodeNameError
	}
	s.negative(r)
}

// negative adds the SOA that says how long "no" may be kept.
func (s *Server) negative(r *dns.Msg) {
	if len(r.Answer) == 0 && (r.Rcode == dns.RcodeSuccess || r.Rcode == dns.RcodeNameError) {
		r.Ns = append(r.Ns, s.soa(s.domain))
	}
}

func (s *Server) apex(r *dns.Msg, q dns.Question) {
	server := "ns.dns." + s.domain
	switch q.Qtype {
	case dns.TypeSOA:
		r.Answer = append(r.Answer, s.soa(q.Name))
	case dns.TypeNS:
		r.Answer = append(r.Answer, &dns.NS{Hdr: header(q.Name, dns.TypeNS), Ns: server})
		r.Extra = append(r.Extra, record(server, s.ip))
	}
}

func (s *Server) soa(name string) dns.RR {
	return &dns.SOA{Hdr: header(name, dns.TypeSOA), Ns: "ns.dns." + s.domain, Mbox: "hostmaster." + s.domain,
		Serial: s.index.serial(), Refresh: 7200, Retry: 1800, Expire: 86400, Minttl: ttl}
}

// services answers below "svc": labels are namespace, service, and an endpoint's name or a protocol and a port.
func (s *Server) services(ctx context.Context, r *dns.Msg, q dns.Question, labels []string) {
	if len(labels) < 2 {
		if len(labels) == 1 && !s.index.hasNamespace(labels[0]) {
			r.Rcode = dns.RcodeNameError
		}
		return
	}
	e := s.index.get(labels[0], labels[1])
	if e == nil {
		r.Rcode = dns.RcodeNameError
		return
	}
	if e.external != "" {
		s.alias(ctx, r, q, e.external, len(labels) == 2)
		return
	}
	if e.headless && len(e.endpoints) == 0 {
		r.Rcode = dns.RcodeNameError // the specification's word for a headless service without ready endpoints
		return
	}
	switch {
	case len(labels) == 2 && q.Qtype == dns.TypeSRV:
		s.ports(r, q, e, "", "")
	case len(labels) == 2:
		addresses(r, q, e.addresses())
	case len(labels) == 3 && e.headless && !strings.HasPrefix(labels[2], "_"):
		ips := e.byName[labels[2]]
		if len(ips) == 0 {
			r.Rcode = dns.RcodeNameError
			return
		}
		addresses(r, q, ips)
	case len(labels) == 3 && (labels[2] == "_tcp" || labels[2] == "_udp" || labels[2] == "_sctp"):
		if !e.hasProtocol(labels[2][1:]) {
			r.Rcode = dns.RcodeNameError
		}
	case len(labels) == 4 && strings.HasPrefix(labels[2], "_") && strings.HasPrefix(labels[3], "_"):
		if !s.ports(r, q, e, labels[2][1:], labels[3][1:]) {
			r.Rcode = dns.RcodeNameError
		}
	default:
		r.Rcode = dns.RcodeNameError
	}
}

// ports answers SRV for ports by protocol and name, or for all with empty ones, and says whether there are any.
func (s *Server) ports(r *dns.Msg, q dns.Question, e *service, protocol, name string) bool {
	type target struct {
		port uint16
		host string
		ips  []netip.Addr
	}
	var targets []target
	for _, p := range e.ports {
		if protocol != "" && (p.protocol != protocol || p.name != name) {
			continue
		}
		if !e.headless {
			targets = append(targets, target{p.port, e.fqdn(s.domain), e.ips})
			continue
		}
		for _, ep := range p.endpoints {
			targets = append(targets, target{ep.port, ep.name + "." + e.fqdn(s.domain), []netip.Addr{ep.ip}})
		}
	}
	if q.Qtype != dns.TypeSRV {
		return len(targets) > 0
	}
	seen := map[string]bool{}
	for _, t := range targets {
		weight := max(100/len(targets), 1)
		r.Answer = append(r.Answer, &dns.SRV{Hdr: header(q.Name, dns.TypeSRV), Weight: uint16(weight), Port: t.port, Target: t.host})
		for _, ip := range t.ips {
			if rr := record(t.host, ip); !seen[rr.String()] {
				seen[rr.String()] = true
				r.Extra = append(r.Extra, rr)
			}
		}
	}
	return len(targets) > 0
}

// maxAliases ends chains of ExternalName services that lead to one another.
const maxAliases = 8

// alias answers an ExternalName: its CNAME, and what that leads to.
func (s *Server) alias(ctx context.Context, r *dns.Msg, q dns.Question, target string, itself bool) {
	if !itself {
		r.Rcode = dns.RcodeNameError
		return
	}
	r.Answer = append(r.Answer, &dns.CNAME{Hdr: header(q.Name, dns.TypeCNAME), Target: target})
	if q.Qtype == dns.TypeCNAME || len(r.Answer) > maxAliases {
		return
	}
	next := new(dns.Msg)
	next.SetQuestion(target, q.Qtype)
	if name := dns.CanonicalName(target); dns.IsSubDomain(s.domain, name) {
		labels := s.labels(name)
		if len(labels) > 1 && labels[0] == "svc" {
			s.services(ctx, r, next.Question[0], labels[1:])
		}
		return
	}
	answer := new(dns.Msg)
	answer.SetReply(next)
	s.forward.answer(ctx, next, answer)
	r.Answer = append(r.Answer, answer.Answer...)
}

// pods answers below "pod": namespace and an address with dashes. As with CoreDNS's "pods insecure", the address need not be
// a pod's.
func (s *Server) pods(r *dns.Msg, q dns.Question, labels []string) {
	if len(labels) < 2 {
		return
	}
	ip, ok := dashed(labels[1])
	if !ok || len(labels) > 2 {
		r.Rcode = dns.RcodeNameError
		return
	}
	addresses(r, q, []netip.Addr{ip})
}

// dashed reads 10-244-0-7 and 2001-db8--7.
func dashed(label string) (netip.Addr, bool) {
	if strings.Count(label, "-") == 3 && !strings.Contains(label, "--") {
		if ip, err := netip.ParseAddr(strings.ReplaceAll(label, "-", ".")); err == nil {
			return ip, true
		}
	}
	ip, err := netip.ParseAddr(strings.ReplaceAll(label, "-", ":"))
	return ip, err == nil
}

// reverse answers the name of an address: ours alone if the address is in the cluster's ranges or an endpoint's.
func (s *Server) reverse(ctx context.Context, q, r *dns.Msg, asked dns.Question, name string) {
	ip, ok := reversed(name)
	var names []string
	if ok {
		names = s.index.names(ip)
	}
	ours := false
	for _, p := range s.ranges {
		ours = ours || ok && p.Contains(ip)
	}
	if !ours && len(names) == 0 {
		s.forward.answer(ctx, q, r)
		return
	}
	r.Authoritative = true
	if len(names) == 0 {
		r.Rcode = dns.RcodeNameError
	}
	if asked.Qtype == dns.TypePTR {
		for _, n := range names {
			r.Answer = append(r.Answer, &dns.PTR{Hdr: header(asked.Name, dns.TypePTR), Ptr: n + ".svc." + s.domain})
		}
	}
	s.negative(r)
}

// reversed reads the address of a whole reverse name.
func reversed(name string) (netip.Addr, bool) {
	labels := dns.SplitDomainName(name)
	switch {
	case len(labels) == 6 && labels[4] == "in-addr":
		ip, err := netip.ParseAddr(labels[3] + "." + labels[2] + "." + labels[1] + "." + labels[0])
		return ip, err == nil
	case len(labels) == 34 && labels[32] == "ip6":
		var b strings.Builder
		for i := 31; i >= 0; i-- {
			b.WriteString(labels[i])
			if i%4 == 0 && i > 0 {
				b.WriteByte(':')
			}
		}
		ip, err := netip.ParseAddr(b.String())
		return ip, err == nil && b.Len() == 39
	}
	return netip.Addr{}, false
}

// addresses answers A or AAAA in an order by chance, so that clients spread.
func addresses(r *dns.Msg, q dns.Question, ips []netip.Addr) {
	first := len(r.Answer)
	for _, ip := range ips {
		if q.Qtype == dns.TypeA && ip.Is4() || q.Qtype == dns.TypeAAAA && ip.Is6() || q.Qtype == dns.TypeANY {
			r.Answer = append(r.Answer, record(q.Name, ip))
		}
	}
	found := r.Answer[first:]
	rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
}

func header(name string, t uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: t, Class: dns.ClassINET, Ttl: ttl}
}

func record(name string, ip netip.Addr) dns.RR {
	if ip.Is4() {
		return &dns.A{Hdr: header(name, dns.TypeA), A: ip.AsSlice()}
	}
	return &dns.AAAA{Hdr: header(name, dns.TypeAAAA), AAAA: ip.AsSlice()}
}
