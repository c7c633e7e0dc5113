package oci

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Dial connects from within a sandbox's network or, with an empty id, from the node's.
func (r *Runtime) Dial(ctx context.Context, sandboxID, network, address string) (net.Conn, error) {
	if sandboxID == "" {
		if r.cfg.Network != nil {
			return r.cfg.Network.Dial(ctx, network, address)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	s, err := r.sandbox(sandboxID)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	_, all := r.paths(s)
	addresses, err := numeric(address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	var failed error
	for _, a := range addresses {
		c, err := dialIn(ctx, all.net, network, a)
		if err == nil {
			return c, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// numeric resolves only "localhost": names belong to the pod, not to this process.
func numeric(address string) ([]string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if host == "localhost" {
		return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}, nil
	}
	if net.ParseIP(host) == nil {
		return nil, fmt.Errorf("%q is no address", host)
	}
	return []string{address}, nil
}

// dialIn makes the socket on a thread that is in the namespace; a socket stays where it was made.
func dialIn(ctx context.Context, netns, network, address string) (net.Conn, error) {
	if netns == "" {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	target, err := os.Open(netns)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	defer target.Close()
	var c net.Conn
	err = ownThread(func() error {
		if err := unix.Setns(int(target.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
		c, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return c, err
}
