//go:build linux

package network

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// uplink is a node's link to the host (the first node's) or to the first node.
const uplink = "eth0"

// linkName is the host's end of a cluster's link; names of links have at most 15 bytes.
func linkName(cluster string) string {
	if len(cluster) <= 12 {
		return "sk-" + cluster
	}
	sum := sha256.Sum256([]byte(cluster))
	return "sk-" + cluster[:5] + "-" + hex.EncodeToString(sum[:3])
}

// spokeName is the first node's end of the link to another node.
func spokeName(index int) string { return fmt.Sprintf("node%d", index) }

// podLinkName is the node's end of a pod's link.
func podLinkName(ip netip.Addr) string { return "pod-" + hex.EncodeToString(ip.AsSlice()) }

// owner is the mark on the host's link that tells clusters of one name in two directories apart.
func owner(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if len(dir) > 200 {
		sum := sha256.Sum256([]byte(dir))
		dir = hex.EncodeToString(sum[:])
	}
	return "skiff " + dir
}

// macOf derives a link's address from its IP, so that an IP used again is never at a stale neighbour.
func macOf(ip netip.Addr) net.HardwareAddr {
	return append(net.HardwareAddr{0x0a, 0x58}, ip.AsSlice()...)
}

func host32(ip netip.Addr) *net.IPNet { return toNet(netip.PrefixFrom(ip, 32)) }

func toNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
}

func toPrefix(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	a, ok := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(a.Unmap(), ones), ok && a.Unmap().Is4()
}

// end is one end of a point-to-point link: where it is, its address, and the other's.
type end struct {
	nl       *netlink.Handle
	name     string
	ip, peer netip.Addr
	peerMAC  net.HardwareAddr
	// routes lead to the peer, from ip.
	routes []netip.Prefix
}

// configure makes an end work, from any state before.
func (e end) configure() error {
	l, err := e.nl.LinkByName(e.name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", e.name, err)
	}
	if err := e.nl.AddrReplace(l, &netlink.Addr{IPNet: host32(e.ip)}); err != nil {
		return fmt.Errorf("give %s to %s: %w", e.ip, e.name, err)
	}
	if err := e.nl.LinkSetUp(l); err != nil {
		return fmt.Errorf("set %s up: %w", e.name, err)
	}
	return e.reach(l)
}

// reach sets the neighbour and the routes by way of it. The neighbour is permanent: no question, no answer to wait for.
func (e end) reach(l netlink.Link) error {
	index := l.Attrs().Index
	err := e.nl.NeighSet(&netlink.Neigh{LinkIndex: index, Family: unix.AF_INET, State: netlink.NUD_PERMANENT,
		IP: e.peer.AsSlice(), HardwareAddr: e.peerMAC})
	if err != nil {
		return fmt.Errorf("set neighbour %s on %s: %w", e.peer, e.name, err)
	}
	for _, p := range e.routes {
		r := &netlink.Route{LinkIndex: index, Dst: toNet(p), Src: e.ip.AsSlice(), Gw: e.peer.AsSlice(), Flags: int(netlink.FLAG_ONLINK)}
		if p == netip.PrefixFrom(e.peer, 32) {
			r.Gw, r.Flags, r.Scope = nil, 0, netlink.SCOPE_LINK
		}
		if err := e.nl.RouteReplace(r); err != nil {
			return fmt.Errorf("set route %s on %s: %w", p, e.name, err)
		}
	}
	return nil
}

// unreachable ends the journey of packets to addresses of a range that nobody has.
func unreachable(nl *netlink.Handle, p netip.Prefix) error {
	err := nl.RouteReplace(&netlink.Route{Dst: toNet(p), Type: unix.RTN_UNREACHABLE, Priority: 4096})
	if err != nil {
		return fmt.Errorf("set unreachable route %s: %w", p, err)
	}
	return nil
}

// deleteLink removes a link; none is success.
func deleteLink(nl *netlink.Handle, name string) error {
	l, err := nl.LinkByName(name)
	if err == nil {
		err = nl.LinkDel(l)
	}
	var none netlink.LinkNotFoundError
	if err == nil || errors.As(err, &none) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return fmt.Errorf("delete link %s: %w", name, err)
}

func hasLink(nl *netlink.Handle, name string) (bool, error) {
	_, err := nl.LinkByName(name)
	var none netlink.LinkNotFoundError
	if errors.As(err, &none) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find link %s: %w", name, err)
	}
	return true, nil
}

// wayOutMTU is the MTU of the host's default route where that is less than a veth's own, as with a VPN or in a cloud: pods
// that send larger packets would have to learn it from errors that many networks drop.
func wayOutMTU() (int, error) {
	routes, err := netlink.RouteListFiltered(unix.AF_INET, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return 0, fmt.Errorf("list routes: %w", err)
	}
	least := 0
	for _, r := range routes {
		if p, ok := toPrefix(r.Dst); (r.Dst != nil && (!ok || p.Bits() > 0)) || r.LinkIndex == 0 {
			continue
		}
		l, err := netlink.LinkByIndex(r.LinkIndex)
		if err != nil {
			continue // it went meanwhile
		}
		if m := l.Attrs().MTU; m < 1500 && (least == 0 || m < least) {
			least = m
		}
	}
	return least, nil
}

var everywhere = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
