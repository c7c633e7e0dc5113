package oci

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// TCP's states, as the kernel counts them.
const (
	tcpEstablished = 1
	tcpSynRecv     = 3
	tcpFinWait1    = 4
	tcpCloseWait   = 8
	tcpLastAck     = 9
	tcpListen      = 10
	tcpClosing     = 11
)

// owesFor is how long, in milliseconds, what came in counts as a request that will be answered.
const owesFor = 2000

// Sockets asks the kernel (sock_diag), which nothing in the sandbox notices. A runtime of the user's own may have a network stack that the
// kernel does not see (runsc), so nobody can tell there.
func (r *Runtime) Sockets(_ context.Context, sandboxID string) ([]container.Socket, error) {
	if r.cfg.OCIRuntime != "" {
		return nil, fmt.Errorf("list sockets under %s: %w", r.cfg.OCIRuntime, errors.ErrUnsupported)
	}
	s, err := r.sandbox(sandboxID)
	if err != nil {
		return nil, fmt.Errorf("list sockets: %w", err)
	}
	_, all := r.paths(s)
	if all.net == "" {
		return nil, fmt.Errorf("list sockets of sandbox %s: it has the node's network", sandboxID)
	}
	found, err := socketsIn(all.net)
	if err != nil {
		return nil, fmt.Errorf("list sockets of sandbox %s: %w", sandboxID, err)
	}
	return accepted(found), nil
}

func socketsIn(path string) ([]*netlink.InetDiagTCPInfoResp, error) {
	ns, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	nl, err := netlink.NewHandleAt(netns.NsHandle(ns.Fd()), unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, err
	}
	defer nl.Close()
	four, err := nl.SocketDiagTCPInfo(unix.AF_INET)
	if err != nil {
		return nil, err
	}
	six, err := nl.SocketDiagTCPInfo(unix.AF_INET6) // also those that take IPv4 connections up
	return append(four, six...), err
}

// accepted gives the sockets that listen, and those at their ports that have a peer outside.
func accepted(found []*netlink.InetDiagTCPInfoResp) []container.Socket {
	ports := map[uint16]bool{}
	for _, f := range found {
		if f.InetDiagMsg.State == tcpListen {
			ports[f.InetDiagMsg.ID.SourcePort] = true
		}
	}
	var out []container.Socket
	for _, f := range found {
		id, listens := f.InetDiagMsg.ID, f.InetDiagMsg.State == tcpListen
		if !listens && (!ports[id.SourcePort] || id.Destination.IsLoopback()) {
			continue
		}
		out = append(out, container.Socket{Local: netip.AddrPortFrom(address(id.Source), id.SourcePort), Listens: listens, Owes: owes(f)})
	}
	return out
}

func address(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip) // the kernel's own
	return a.Unmap()
}

// owes says that the peer of an accepted connection waits. Times are in milliseconds since then, and begin with the connection.
func owes(f *netlink.InetDiagTCPInfoResp) bool {
	switch f.InetDiagMsg.State {
	case tcpSynRecv, tcpFinWait1, tcpLastAck, tcpClosing:
		return true
	case tcpEstablished, tcpCloseWait:
	default:
		return false
	}
	t := f.TCPInfo
	if f.InetDiagMsg.WQueue > 0 || t == nil {
		return true
	}
	if t.Last_data_recv > owesFor {
		return false
	}
	return f.InetDiagMsg.RQueue > 0 || t.Data_segs_out == 0 || t.Last_data_recv < t.Last_data_sent
}
