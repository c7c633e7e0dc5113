//go:build linux

package network

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ChooseRanges picks a cluster's ranges so that none overlaps another or one in taken (the host's routes and addresses, see
// HostRanges, and other clusters' ranges). A valid prefix in wanted is kept as it is, or refused with the reason.
func ChooseRanges(taken []netip.Prefix, wanted Ranges) (Ranges, error) {
	out := wanted
	used := append([]netip.Prefix(nil), taken...)
	fields := []struct {
		what       string
		p          *netip.Prefix
		bits       int
		candidates func(i int) netip.Prefix
	}{
		{"pods", &out.Pods, 16, func(i int) netip.Prefix { return sixteen(10, 244, i) }},
		{"services", &out.Services, 16, func(i int) netip.Prefix { return sixteen(10, 96, i) }},
		{"load balancers", &out.LoadBalancers, 24, func(i int) netip.Prefix { return twentyFour(10, 64, i) }},
		{"nodes", &out.Nodes, 24, func(i int) netip.Prefix { return twentyFour(10, 65, i) }},
	}
	for _, f := range fields {
		if !f.p.IsValid() {
			continue
		}
		if err := checkRange(f.what, *f.p); err != nil {
			return Ranges{}, err
		}
		if t, hit := overlap(*f.p, used); hit {
			return Ranges{}, fmt.Errorf("range %s wanted for %s overlaps %s, which is in use on this machine: choose another", f.p, f.what, t)
		}
		used = append(used, *f.p)
	}
	for _, f := range fields {
		for i := 0; !f.p.IsValid(); i++ {
			c := f.candidates(i)
			if !c.IsValid() {
				return Ranges{}, fmt.Errorf("no free range for %s among the private addresses: name one that this machine does not use", f.what)
			}
			if _, hit := overlap(c, used); !hit {
				*f.p = c
				used = append(used, c)
			}
		}
	}
	return out, nil
}

// checkRange says what a range for some purpose must be.
func checkRange(what string, p netip.Prefix) error {
	least := 24
	if what == "services" || what == "load balancers" || what == "nodes" {
		least = 28
	}
	switch {
	case !p.Addr().Is4():
		return fmt.Errorf("range %s for %s: use an IPv4 range", p, what)
	case p != p.Masked():
		return fmt.Errorf("range %s for %s has host bits set: write %s", p, what, p.Masked())
	case p.Bits() > least:
		return fmt.Errorf("range %s for %s is too small: use a /%d or larger", p, what, least)
	case p.Bits() < 8:
		return fmt.Errorf("range %s for %s is too large: use a /8 or smaller", p, what)
	}
	return nil
}

func overlap(p netip.Prefix, used []netip.Prefix) (netip.Prefix, bool) {
	for _, u := range used {
		if u.Overlaps(p) {
			return u, true
		}
	}
	return netip.Prefix{}, false
}

// sixteen walks down from a.b.0.0/16 for 32 steps, then through 172.16/12, then 100.64/10 from its end.
func sixteen(a, b byte, i int) netip.Prefix {
	at := func(x, y int) netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(x), byte(y)}), 16) }
	switch {
	case i < 32:
		return at(int(a), int(b)-i)
	case i < 48:
		return at(172, 31-(i-32))
	case i < 112:
		return at(100, 127-(i-48))
	}
	return netip.Prefix{}
}

// twentyFour walks through a.b/16, then 192.168/16, then 198.18/15.
func twentyFour(a, b byte, i int) netip.Prefix {
	at := func(x, y byte) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{x, y, byte(i % 256)}), 24)
	}
	switch i / 256 {
	case 0:
		return at(a, b)
	case 1:
		return at(192, 168)
	case 2, 3:
		return at(198, byte(18+i/256-2))
	}
	return netip.Prefix{}
}

// HostRanges lists what this process's namespace has routes to and addresses in, except by way of the named cluster's own
// link and except default routes.
func HostRanges(cluster string) ([]netip.Prefix, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	own := -1
	for _, l := range links {
		if l.Attrs().Name == linkName(cluster) {
			own = l.Attrs().Index
		}
	}
	var out []netip.Prefix
	routes, err := netlink.RouteListFiltered(unix.AF_INET, &netlink.Route{}, 0)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	for _, r := range routes {
		if p, ok := toPrefix(r.Dst); ok && p.Bits() > 0 && r.LinkIndex != own {
			out = append(out, p)
		}
	}
	addrs, err := netlink.AddrList(nil, unix.AF_INET)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	for _, a := range addrs {
		if p, ok := toPrefix(a.IPNet); ok && a.LinkIndex != own {
			out = append(out, p.Masked())
		}
	}
	return out, nil
}

// addressing derives every fixed address of a cluster from its ranges.
type addressing struct {
	Ranges
	host, dns netip.Addr
	services  []netip.Addr // what every node answers on itself
}

func newAddressing(r Ranges) (addressing, error) {
	for what, p := range map[string]netip.Prefix{"pods": r.Pods, "services": r.Services, "load balancers": r.LoadBalancers, "nodes": r.Nodes} {
		if !p.IsValid() {
			return addressing{}, fmt.Errorf("open network: no range for %s", what)
		}
		if err := checkRange(what, p); err != nil {
			return addressing{}, err
		}
	}
	a := addressing{Ranges: r, host: nth(r.Nodes, 1), dns: nth(r.Services, 10)}
	a.services = []netip.Addr{a.dns}
	return a, nil
}

// node is the address of the node with that index, from 1.
func (a addressing) node(index int) netip.Addr { return nth(a.Nodes, index+1) }

// pods is the range of the node with that index, from 1.
func (a addressing) pods(index int) netip.Prefix {
	return netip.PrefixFrom(nth(a.Pods, (index-1)*256), 24)
}

func (a addressing) checkIndex(index int) error {
	if index < 1 {
		return errors.New("a node's index begins at 1")
	}
	if n := 1 << (24 - a.Pods.Bits()); index > n {
		return fmt.Errorf("node %d: the pod range %s has room for %d nodes", index, a.Pods, n)
	}
	if n := 1<<(32-a.Nodes.Bits()) - 3; index > n {
		return fmt.Errorf("node %d: the node range %s has room for %d nodes", index, a.Nodes, n)
	}
	return nil
}

// nth is the address n after the range's first.
func nth(p netip.Prefix, n int) netip.Addr {
	b := p.Addr().As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}
