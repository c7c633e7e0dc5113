//go:build linux

package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// Dial connects from the node's namespace. A host name is looked up by the process's own resolver, "localhost" not at all.
func (n *Node) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	address, err := literal(ctx, address)
	if err != nil {
		return nil, err
	}
	var conn net.Conn
	// With an address in numbers the dialer makes its socket on the calling goroutine, hence in the namespace.
	err = n.ns.do(func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen listens in the node's namespace. The listener outlives no process: the caller closes it.
func (n *Node) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	var l net.Listener
	err := n.ns.do(func() (err error) {
		l, err = (&net.ListenConfig{}).Listen(ctx, network, address)
		return err
	})
	return l, err
}

// ListenPacket listens for packets in the node's namespace.
func (n *Node) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	var c net.PacketConn
	err := n.ns.do(func() (err error) {
		c, err = (&net.ListenConfig{}).ListenPacket(ctx, network, address)
		return err
	})
	return c, err
}

// literal turns a host name into one of its addresses.
func literal(ctx context.Context, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return address, nil
	}
	if host == "localhost" || host == "" {
		return net.JoinHostPort("127.0.0.1", port), nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return "", err
	}
	if len(ips) == 0 {
		return "", fmt.Errorf("look up %s: no address", host)
	}
	return net.JoinHostPort(ips[0].Unmap().String(), port), nil
}
