//go:build linux

package network

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// prepareNode sets what holds for every node's namespace: it forwards, and answers on the given addresses itself. They
// have host scope, so that the kernel never takes one as the source of a packet.
func prepareNode(ns *namespace, own []netip.Addr) error {
	err := ns.do(func() error {
		for _, s := range []struct {
			name  string
			value int
		}{
			{"net.ipv4.ip_forward", 1}, // first: it resets the others
			{"net.ipv4.conf.all.rp_filter", 0},
			{"net.ipv4.conf.default.rp_filter", 0},
			{"net.ipv4.conf.all.send_redirects", 0},
			{"net.ipv4.conf.default.send_redirects", 0},
			{"net.ipv4.conf.all.route_localnet", 1}, // node ports on the node's own 127.0.0.1
		} {
			if err := setSysctl(s.name, s.value); err != nil {
				return err
			}
		}
		// Only spares the kernel work on links that speak IPv4 anyway; there may be no IPv6 at all.
		_ = setSysctl("net.ipv6.conf.default.disable_ipv6", 1)
		return nil
	})
	if err != nil {
		return err
	}
	lo, err := ns.nl.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := ns.nl.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	for _, ip := range own {
		a := &netlink.Addr{IPNet: host32(ip), Scope: int(netlink.SCOPE_HOST)}
		if err := ns.nl.AddrReplace(lo, a); err != nil {
			return fmt.Errorf("give %s to lo: %w", ip, err)
		}
	}
	return nil
}

// connectHost links the host and the first node.
func (f *Fabric) connectHost() error {
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	defer host.Close()
	a := f.addrs
	if err := f.hostLink(host); err != nil {
		return err
	}
	node1 := a.node(1)
	err = end{nl: host, name: f.link, ip: a.host, peer: node1, peerMAC: macOf(node1),
		routes: []netip.Prefix{a.Nodes, a.Pods, a.Services, a.LoadBalancers}}.configure()
	if err != nil {
		return err
	}
	err = end{nl: f.hub.nl, name: uplink, ip: node1, peer: a.host, peerMAC: macOf(a.host),
		routes: []netip.Prefix{netip.PrefixFrom(a.host, 32), everywhere}}.configure()
	if err != nil {
		return err
	}
	if err := unreachable(f.hub.nl, a.Pods); err != nil {
		return err
	}
	return unreachable(f.hub.nl, a.Nodes)
}

// hostLink makes the link unless a whole one is there. One whose other end is not in the first node's namespace belongs
// to a namespace that died.
func (f *Fabric) hostLink(host *netlink.Handle) error {
	old, err := host.LinkByName(f.link)
	if _, none := err.(netlink.LinkNotFoundError); err != nil && !none {
		return fmt.Errorf("find link %s: %w", f.link, err)
	}
	if err == nil {
		if alias := old.Attrs().Alias; alias != "" && alias != owner(f.c.Dir) {
			return fmt.Errorf("link %s belongs to another cluster of this name (%s): delete that one, or choose another name", f.link, alias)
		}
		whole, err := hasLink(f.hub.nl, uplink)
		if err != nil || whole {
			return err
		}
		if err := deleteLink(host, f.link); err != nil {
			return err
		}
	}
	if err := f.refuseTaken(); err != nil {
		return err
	}
	err = host.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: f.link, MTU: f.mtu, HardwareAddr: macOf(f.addrs.host)},
		PeerName:  uplink, PeerHardwareAddr: macOf(f.addrs.node(1)), PeerNamespace: netlink.NsFd(f.hub.fd),
	})
	if err != nil {
		return fmt.Errorf("make link %s: %w", f.link, err)
	}
	l, err := host.LinkByName(f.link)
	if err == nil {
		err = host.LinkSetAlias(l, owner(f.c.Dir))
	}
	if err != nil {
		return fmt.Errorf("mark link %s: %w", f.link, err)
	}
	return nil
}

// refuseTaken says which of the ranges this host uses for something else.
func (f *Fabric) refuseTaken() error {
	taken, err := HostRanges(f.c.Cluster)
	if err != nil {
		return err
	}
	_, err = ChooseRanges(taken, f.c.Ranges)
	return err
}

// wire links a node to the first one. The first one is linked to the host already.
func (f *Fabric) wire(n *Node) error {
	a := f.addrs
	gateway := nth(n.pods, 1)
	if err := prepareNode(n.ns, append([]netip.Addr{gateway}, a.services...)); err != nil {
		return err
	}
	if n.index == 1 {
		return nil
	}
	name := spokeName(n.index)
	if err := f.spoke(n, name); err != nil {
		return err
	}
	node1 := a.node(1)
	err := end{nl: n.ns.nl, name: uplink, ip: n.ip, peer: node1, peerMAC: macOf(node1),
		routes: []netip.Prefix{netip.PrefixFrom(node1, 32), everywhere}}.configure()
	if err != nil {
		return err
	}
	if err := unreachable(n.ns.nl, n.pods); err != nil {
		return err
	}
	l, err := f.hub.nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	if err := f.hub.nl.LinkSetUp(l); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return end{nl: f.hub.nl, name: name, ip: node1, peer: n.ip, peerMAC: macOf(n.ip),
		routes: []netip.Prefix{netip.PrefixFrom(n.ip, 32), n.pods}}.reach(l)
}

// spoke makes the link between the first node and another unless it is whole.
func (f *Fabric) spoke(n *Node, name string) error {
	here, err := hasLink(f.hub.nl, name)
	if err != nil {
		return err
	}
	there, err := hasLink(n.ns.nl, uplink)
	if err != nil || here && there {
		return err
	}
	if err := deleteLink(f.hub.nl, name); err != nil {
		return err
	}
	if err := deleteLink(n.ns.nl, uplink); err != nil {
		return err
	}
	err = f.hub.nl.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: name, MTU: f.mtu, HardwareAddr: macOf(f.addrs.node(1))},
		PeerName:  uplink, PeerHardwareAddr: macOf(n.ip), PeerNamespace: netlink.NsFd(n.ns.fd),
	})
	if err != nil {
		return fmt.Errorf("make link %s: %w", name, err)
	}
	return nil
}
