package dns

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/tools/cache"
)

// service is all that can be asked of one service, made anew when it or a slice of it changes; never written after.
type service struct {
	namespace, name string
	external        string // with the final dot
	headless        bool
	ips             []netip.Addr
	endpoints       []netip.Addr // a headless service's ready ones
	byName          map[string][]netip.Addr
	ports           []port
}

type port struct {
	name, protocol string
	port           uint16
	endpoints      []endpoint // a headless service's
}

type endpoint struct {
	name string // its host name, or its address with dashes
	ip   netip.Addr
	port uint16
}

func (e *service) fqdn(domain string) string { return e.name + "." + e.namespace + ".svc." + domain }

func (e *service) addresses() []netip.Addr {
	if e.headless {
		return e.endpoints
	}
	return e.ips
}

func (e *service) hasProtocol(protocol string) bool {
	return slices.ContainsFunc(e.ports, func(p port) bool { return p.protocol == protocol })
}

// index holds services by name, and names by address.
type index struct {
	mu         sync.RWMutex
	objects    map[string]*corev1.Service
	slices     map[string]map[string]*discoveryv1.EndpointSlice // by service, by name
	entries    map[string]*service
	namespaces map[string]int
	reverse    map[netip.Addr][]string // "web.default", "db-0.db.default"
	changes    uint32
}

func newIndex() *index {
	return &index{objects: map[string]*corev1.Service{}, slices: map[string]map[string]*discoveryv1.EndpointSlice{},
		entries: map[string]*service{}, namespaces: map[string]int{}, reverse: map[netip.Addr][]string{}, changes: 1}
}

func (x *index) get(namespace, name string) *service {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.entries[namespace+"/"+name]
}

func (x *index) hasNamespace(namespace string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.namespaces[namespace] > 0
}

func (x *index) names(ip netip.Addr) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Clone(x.reverse[ip])
}

func (x *index) serial() uint32 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.changes
}

func (x *index) service(old, now *corev1.Service) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if now == nil {
		key := old.Namespace + "/" + old.Name
		delete(x.objects, key)
		x.renew(key)
		return
	}
	key := now.Namespace + "/" + now.Name
	x.objects[key] = now
	x.renew(key)
}

func (x *index) slice(old, now *discoveryv1.EndpointSlice) {
	x.mu.Lock()
	defer x.mu.Unlock()
	before := ""
	if old != nil {
		before = serviceOf(old)
		delete(x.slices[before], old.Name)
		if len(x.slices[before]) == 0 {
			delete(x.slices, before)
		}
	}
	if now != nil {
		key := serviceOf(now)
		if x.slices[key] == nil {
			x.slices[key] = map[string]*discoveryv1.EndpointSlice{}
		}
		x.slices[key][now.Name] = now
		x.renew(key)
		if key == before {
			return
		}
	}
	if before != "" {
		x.renew(before)
	}
}

func serviceOf(s *discoveryv1.EndpointSlice) string {
	return s.Namespace + "/" + s.Labels[discoveryv1.LabelServiceName]
}

// renew makes a service's entry anew.
func (x *index) renew(key string) {
	x.changes++
	if was := x.entries[key]; was != nil {
		x.link(was, false)
		delete(x.entries, key)
		if x.namespaces[was.namespace]--; x.namespaces[was.namespace] == 0 {
			delete(x.namespaces, was.namespace)
		}
	}
	if o := x.objects[key]; o != nil {
		now := newService(o, x.slices[key])
		x.entries[key] = now
		x.namespaces[now.namespace]++
		x.link(now, true)
	}
}

// link keeps the way back from addresses.
func (x *index) link(e *service, add bool) {
	one := func(ip netip.Addr, name string) {
		have := slices.DeleteFunc(slices.Clone(x.reverse[ip]), func(s string) bool { return s == name })
		if add {
			have = append(have, name)
			slices.Sort(have)
		}
		if len(have) == 0 {
			delete(x.reverse, ip)
			return
		}
		x.reverse[ip] = have
	}
	own := e.name + "." + e.namespace
	for _, ip := range e.ips {
		one(ip, own)
	}
	for name, ips := range e.byName {
		for _, ip := range ips {
			one(ip, name+"."+own)
		}
	}
}

func newService(o *corev1.Service, parts map[string]*discoveryv1.EndpointSlice) *service {
	e := &service{namespace: strings.ToLower(o.Namespace), name: strings.ToLower(o.Name)}
	if o.Spec.Type == corev1.ServiceTypeExternalName {
		e.external = dns.Fqdn(o.Spec.ExternalName)
		return e
	}
	ips := o.Spec.ClusterIPs
	if len(ips) == 0 {
		ips = []string{o.Spec.ClusterIP}
	}
	e.headless = o.Spec.ClusterIP == corev1.ClusterIPNone
	for _, s := range ips {
		if ip, err := netip.ParseAddr(s); err == nil {
			e.ips = append(e.ips, ip.Unmap())
		}
	}
	if !e.headless {
		for _, p := range o.Spec.Ports {
			e.ports = append(e.ports, port{name: p.Name, protocol: protocol(p.Protocol), port: uint16(p.Port)})
		}
		return e
	}
	e.byName = map[string][]netip.Addr{}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		e.addSlice(parts[name])
	}
	return e
}

// addSlice adds the ready endpoints of a headless service's slice. Its ports are the slice's: those of the pods.
func (e *service) addSlice(s *discoveryv1.EndpointSlice) {
	for i := range s.Endpoints {
		ep := &s.Endpoints[i]
		if len(ep.Addresses) == 0 || ep.Conditions.Ready != nil && !*ep.Conditions.Ready {
			continue
		}
		ip, err := netip.ParseAddr(ep.Addresses[0])
		if err != nil {
			continue
		}
		ip = ip.Unmap()
		name := strings.NewReplacer(".", "-", ":", "-").Replace(ip.String())
		if ep.Hostname != nil && *ep.Hostname != "" {
			name = strings.ToLower(*ep.Hostname)
		}
		if !slices.Contains(e.endpoints, ip) {
			e.endpoints = append(e.endpoints, ip)
		}
		if !slices.Contains(e.byName[name], ip) {
			e.byName[name] = append(e.byName[name], ip)
		}
		for _, p := range s.Ports {
			if p.Port != nil {
				e.addPort(p, endpoint{name, ip, uint16(*p.Port)})
			}
		}
	}
}

func (e *service) addPort(p discoveryv1.EndpointPort, ep endpoint) {
	name, proto := "", "tcp"
	if p.Name != nil {
		name = *p.Name
	}
	if p.Protocol != nil {
		proto = protocol(*p.Protocol)
	}
	i := slices.IndexFunc(e.ports, func(h port) bool { return h.name == name && h.protocol == proto })
	if i < 0 {
		i = len(e.ports)
		e.ports = append(e.ports, port{name: name, protocol: proto})
	}
	e.ports[i].endpoints = append(e.ports[i].endpoints, ep)
}

func protocol(p corev1.Protocol) string {
	if p == "" {
		return "tcp"
	}
	return strings.ToLower(string(p))
}

// handler calls set with the old object, the new one, or both.
func handler[T any](set func(old, now T)) cache.ResourceEventHandler {
	var none T
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { set(none, o.(T)) },
		UpdateFunc: func(old, o any) { set(old.(T), o.(T)) },
		DeleteFunc: func(o any) {
			if gone, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = gone.Obj
			}
			if v, ok := o.(T); ok {
				set(v, none)
			}
		},
	}
}
