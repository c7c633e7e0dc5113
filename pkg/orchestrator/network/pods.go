//go:build linux

package network

import (
	"net/netip"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// pods are the addresses of the pods behind a service, in order: those that it sends connections to, and those of which it has been
// told that they leave. One that leaves may still get connections where nobody else is there to take them.
type pods struct{ live, leaving []netip.Addr }

// podsOf reads a service's slices. An endpoint that names no pod stays whatever becomes of pods, so that nobody need wait for it.
func podsOf(endpointSlices []*discoveryv1.EndpointSlice) pods {
	var p pods
	for _, s := range endpointSlices {
		if s.AddressType != discoveryv1.AddressTypeIPv4 {
			continue
		}
		for i := range s.Endpoints {
			p.add(&s.Endpoints[i])
		}
	}
	p.live, p.leaving = inOrder(p.live), inOrder(p.leaving)
	return p
}

func (p *pods) add(e *discoveryv1.Endpoint) {
	if len(e.Addresses) == 0 || e.TargetRef == nil || e.TargetRef.Kind != "Pod" {
		return
	}
	a, err := netip.ParseAddr(e.Addresses[0])
	if err != nil {
		return
	}
	switch c := e.Conditions; {
	case c.Terminating != nil && *c.Terminating:
		p.leaving = append(p.leaving, a)
	case c.Ready == nil || *c.Ready:
		p.live = append(p.live, a)
	}
}

func inOrder(list []netip.Addr) []netip.Addr {
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}
