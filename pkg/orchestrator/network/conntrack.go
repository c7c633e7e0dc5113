//go:build linux

package network

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// udpTo matches UDP flows that were translated to one of a set of endpoints.
type udpTo map[netip.AddrPort]bool

func (gone udpTo) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	if f.Forward.Protocol != unix.IPPROTO_UDP {
		return false
	}
	a, ok := netip.AddrFromSlice(f.Reverse.SrcIP)
	return ok && gone[netip.AddrPortFrom(a.Unmap(), f.Reverse.SrcPort)] && !f.Forward.DstIP.Equal(f.Reverse.SrcIP)
}

// forget ends UDP flows to endpoints that went: the kernel would send their next packets there for minutes.
func (n *Node) forget(gone map[netip.AddrPort]bool) error {
	nl, err := netlink.NewHandleAt(n.ns.fd, unix.NETLINK_NETFILTER)
	if err != nil {
		return fmt.Errorf("open connection tracking: %w", err)
	}
	defer nl.Close()
	if _, err := nl.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, udpTo(gone)); err != nil {
		return fmt.Errorf("forget UDP flows to endpoints that went: %w", err)
	}
	return nil
}
