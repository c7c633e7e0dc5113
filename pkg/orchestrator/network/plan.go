//go:build linux

package network

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// entry is where traffic enters: an address and port, or a port on any address of the node (no address).
type entry struct {
	proto corev1.Protocol
	addr  netip.Addr
	port  uint16
}

// The verdicts that are no chain's name.
const (
	toReject = "reject" // a chain that every table has
	toDrop   = "drop"
)

// rule is a line of a chain before its endpoints; its conditions hold together.
type rule struct {
	from       netip.Prefix // source, if valid
	fromLocal  bool         // the node itself
	masquerade bool         // mark for the node's source address
	then       string       // a chain, toDrop, or "" to go on
}

// chain is a list of rules, then one endpoint by chance, or by the client's address for as long as affinity.
type chain struct {
	rules     []rule
	endpoints []netip.AddrPort
	affinity  time.Duration
	udp       bool
}

// part is all that one service (or one sandbox's host ports) wants of a node's rules.
type part struct {
	entries map[entry]string
	chains  map[string]chain
	pods    pods
}

// view is what planning knows of the node.
type view struct {
	name string
	pods netip.Prefix // the node's own
	hub  bool         // the node that the host's traffic enters by; answers to pods elsewhere return through it
	own  []netip.Addr // addresses that the node answers on itself
}

// proxyName is the label by which a user gives a service to another proxy.
const proxyName = "service.kubernetes.io/service-proxy-name"

// Fronted gives the address by which a service's rules lead to its endpoints; a service without one has no rules.
func Fronted(svc *corev1.Service) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(svc.Spec.ClusterIP)
	return ip, err == nil && ip.Is4() && svc.Spec.Type != corev1.ServiceTypeExternalName && svc.Labels[proxyName] == ""
}

// planService decides a service's rules on a node, as kube-proxy does.
func planService(v view, svc *corev1.Service, slices []*discoveryv1.EndpointSlice) part {
	p := part{entries: map[entry]string{}, chains: map[string]chain{}}
	ip, ok := Fronted(svc)
	if !ok {
		return p
	}
	p.pods = podsOf(slices)
	for i := range svc.Spec.Ports {
		planPort(p, v, svc, ip, &svc.Spec.Ports[i], slices)
	}
	return p
}

func planPort(p part, v view, svc *corev1.Service, ip netip.Addr, port *corev1.ServicePort, endpointSlices []*discoveryv1.EndpointSlice) {
	proto := port.Protocol
	if proto == "" {
		proto = corev1.ProtocolTCP
	}
	all, local := endpoints(v.name, proto, port, endpointSlices)
	id := svc.Namespace + "/" + svc.Name + "/" + string(proto) + "/" + strconv.Itoa(int(port.Port))
	b := builder{p: p, id: id, affinity: affinity(svc), udp: proto == corev1.ProtocolUDP}
	cluster := b.balance("svc/", all)
	internal := cluster
	if svc.Spec.InternalTrafficPolicy != nil && *svc.Spec.InternalTrafficPolicy == corev1.ServiceInternalTrafficPolicyLocal {
		internal = b.only(all, local)
	}
	if !slices.Contains(v.own, ip) {
		p.entries[entry{proto, ip, uint16(port.Port)}] = internal
	}
	lbs := loadBalancers(svc)
	if port.NodePort == 0 && len(lbs) == 0 && len(svc.Spec.ExternalIPs) == 0 {
		b.prune(internal, cluster)
		return
	}
	outer := b.external(v, svc, cluster, all, local)
	if port.NodePort != 0 {
		p.entries[entry{proto, netip.Addr{}, uint16(port.NodePort)}] = outer
	}
	for _, s := range svc.Spec.ExternalIPs {
		if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
			p.entries[entry{proto, a, uint16(port.Port)}] = outer
		}
	}
	if len(lbs) == 0 {
		return
	}
	if v.hub && svc.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
		// Here the node stands for the balancer, which would choose a node that has an endpoint and keep the source.
		outer = cluster
	}
	outer = b.firewall(v, svc, outer)
	for _, a := range lbs {
		p.entries[entry{proto, a, uint16(port.Port)}] = outer
	}
}

// builder makes the chains of one service port.
type builder struct {
	p        part
	id       string
	affinity time.Duration
	udp      bool
}

// balance is a chain that chooses among endpoints, or a refusal.
func (b builder) balance(kind string, eps []netip.AddrPort) string {
	if len(eps) == 0 {
		return toReject
	}
	b.p.chains[kind+b.id] = chain{endpoints: eps, affinity: b.affinity, udp: b.udp}
	return kind + b.id
}

// only chooses among local endpoints; where there are others but none here, packets vanish, as with kube-proxy.
func (b builder) only(all, local []netip.AddrPort) string {
	switch {
	case len(all) == 0:
		return toReject
	case len(local) == 0:
		return toDrop
	}
	return b.balance("loc/", local)
}

// external is the way in for node ports, external addresses and balancers.
func (b builder) external(v view, svc *corev1.Service, cluster string, all, local []netip.AddrPort) string {
	if cluster == toReject {
		return toReject
	}
	name := "ext/" + b.id
	if svc.Spec.ExternalTrafficPolicy != corev1.ServiceExternalTrafficPolicyLocal {
		b.p.chains[name] = chain{rules: []rule{{masquerade: true, then: cluster}}}
		return name
	}
	b.p.chains[name] = chain{rules: []rule{
		{from: v.pods, then: cluster}, // from inside, the policy does not apply
		{fromLocal: true, masquerade: true, then: cluster},
		{then: b.only(all, local)},
	}}
	return name
}

// firewall lets only loadBalancerSourceRanges (and the cluster itself) through.
func (b builder) firewall(v view, svc *corev1.Service, next string) string {
	if len(svc.Spec.LoadBalancerSourceRanges) == 0 || next == toReject {
		return next
	}
	rules := []rule{{fromLocal: true, then: next}}
	for _, s := range svc.Spec.LoadBalancerSourceRanges {
		if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is4() {
			rules = append(rules, rule{from: p.Masked(), then: next})
		}
	}
	name := "fw/" + b.id
	b.p.chains[name] = chain{rules: append(rules, rule{then: toDrop})}
	return name
}

// prune drops the cluster-wide chain where nothing leads to it.
func (b builder) prune(internal, cluster string) {
	if internal != cluster {
		delete(b.p.chains, cluster)
	}
}

func affinity(svc *corev1.Service) time.Duration {
	if svc.Spec.SessionAffinity != corev1.ServiceAffinityClientIP {
		return 0
	}
	seconds := corev1.DefaultClientIPServiceAffinitySeconds
	if c := svc.Spec.SessionAffinityConfig; c != nil && c.ClientIP != nil && c.ClientIP.TimeoutSeconds != nil {
		seconds = *c.ClientIP.TimeoutSeconds
	}
	return time.Duration(seconds) * time.Second
}

// loadBalancers are the ingress addresses that arrive at nodes as they are.
func loadBalancers(svc *corev1.Service) []netip.Addr {
	var out []netip.Addr
	for _, in := range svc.Status.LoadBalancer.Ingress {
		a, err := netip.ParseAddr(in.IP)
		if err == nil && a.Is4() && (in.IPMode == nil || *in.IPMode == corev1.LoadBalancerIPModeVIP) {
			out = append(out, a)
		}
	}
	return out
}

// endpoints of a port: those that are ready, or, where none is, those that still serve while they end; the same among the
// node's own.
func endpoints(node string, proto corev1.Protocol, port *corev1.ServicePort, endpointSlices []*discoveryv1.EndpointSlice) (all, local []netip.AddrPort) {
	var ready, ending, readyHere, endingHere []netip.AddrPort
	for _, s := range endpointSlices {
		number, ok := slicePort(s, port.Name, proto)
		if !ok || s.AddressType != discoveryv1.AddressTypeIPv4 {
			continue
		}
		for i := range s.Endpoints {
			e := &s.Endpoints[i]
			if len(e.Addresses) == 0 {
				continue
			}
			a, err := netip.ParseAddr(e.Addresses[0])
			if err != nil || !a.Is4() {
				continue
			}
			at, here := netip.AddrPortFrom(a, number), e.NodeName != nil && *e.NodeName == node
			switch c := e.Conditions; {
			case c.Ready == nil || *c.Ready:
				ready = append(ready, at)
				if here {
					readyHere = append(readyHere, at)
				}
			case (c.Serving == nil || *c.Serving) && c.Terminating != nil && *c.Terminating:
				ending = append(ending, at)
				if here {
					endingHere = append(endingHere, at)
				}
			}
		}
	}
	if len(ready) == 0 {
		ready = ending
	}
	if len(readyHere) == 0 {
		readyHere = endingHere
	}
	return distinct(ready), distinct(readyHere)
}

func slicePort(s *discoveryv1.EndpointSlice, name string, proto corev1.Protocol) (uint16, bool) {
	for _, p := range s.Ports {
		have, its := "", corev1.ProtocolTCP
		if p.Name != nil {
			have = *p.Name
		}
		if p.Protocol != nil {
			its = *p.Protocol
		}
		if have == name && its == proto && p.Port != nil {
			return uint16(*p.Port), true
		}
	}
	return 0, false
}

func distinct(eps []netip.AddrPort) []netip.AddrPort {
	slices.SortFunc(eps, netip.AddrPort.Compare)
	return slices.Compact(eps)
}

func hostPortKey(sandbox string) string { return "\x00host/" + sandbox }

// planHostPorts decides the rules for the node's ports that lead to one sandbox.
func planHostPorts(sandbox string, l lease) part {
	p := part{entries: map[entry]string{}, chains: map[string]chain{}}
	for _, hp := range l.Ports {
		proto := corev1.Protocol(hp.Protocol)
		if proto == "" {
			proto = corev1.ProtocolTCP
		}
		e := entry{proto: proto, port: uint16(hp.HostPort)}
		if a, err := netip.ParseAddr(hp.HostIP); err == nil && a.Is4() && !a.IsUnspecified() {
			e.addr = a
		}
		name := "host/" + sandbox + "/" + string(proto) + "/" + strconv.Itoa(int(hp.HostPort))
		p.chains[name] = chain{
			rules:     []rule{{from: netip.MustParsePrefix("127.0.0.0/8"), masquerade: true}},
			endpoints: []netip.AddrPort{netip.AddrPortFrom(l.IP, uint16(hp.ContainerPort))},
			udp:       proto == corev1.ProtocolUDP,
		}
		p.entries[e] = name
	}
	return p
}
