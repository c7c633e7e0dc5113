//go:build linux

// Package network makes a cluster's network on one Linux machine: each node is a network namespace of its own, pods hang on
// it by point-to-point links, the first node routes between the others and to the host, Services are nftables rules in each
// node's namespace, and names are answered there too (package dns). On the host it keeps one link, four routes and, for the
// way out, one nftables table; everything bears the cluster's name, so that it can be removed when every process is dead.
// It never executes a program, never decides which addresses a Service has, and never opens a connection to the API server:
// it reads informers that its caller gives it.
//
// Several processes may hold the same cluster's Fabric (the server and each agent); a lock in the directory orders what they
// change. All of it survives the death of those processes.
package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Ranges are a cluster's IPv4 addresses. Each node gets a /24 of Pods by its index; Nodes holds the host's end (first
// address) and the nodes (index 1 has the second); Services' tenth address is the DNS server.
type Ranges struct{ Pods, Services, LoadBalancers, Nodes netip.Prefix }

// Config says what a cluster's network is made with.
type Config struct {
	Cluster string // unique on the machine
	Dir     string // the cluster's directory; namespaces and leases live below it
	Ranges  Ranges // see ChooseRanges
	// Egress lets pods reach the world by way of the host: it turns on the host's forwarding (until teardown) and adds a
	// masquerading table to it. Without it no packet of a pod or node leaves the machine, whatever the host forwards.
	Egress bool
}

// Fabric is the network of one cluster.
type Fabric struct {
	c     Config
	link  string // the host's end of the link to the first node
	hub   *namespace
	addrs addressing
	mtu   int // of every link; 0 is the kernel's own
}

// Open makes the cluster's network, or takes up what an earlier process left of it, whole or half-made: the first node's
// namespace, the link to the host, the host's routes and table. It refuses ranges that lead elsewhere on this host.
func Open(ctx context.Context, c Config) (*Fabric, error) {
	addrs, err := newAddressing(c.Ranges)
	if err != nil {
		return nil, err
	}
	if c.Cluster == "" || c.Dir == "" {
		return nil, errors.New("open network: cluster's name and directory are needed")
	}
	f := &Fabric{c: c, link: linkName(c.Cluster), addrs: addrs}
	if err := os.MkdirAll(netnsDir(c.Dir), 0o711); err != nil {
		return nil, fmt.Errorf("open network: %w", err)
	}
	unlock, err := lock(ctx, c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open network: %w", err)
	}
	defer unlock()
	if f.mtu, err = wayOutMTU(); err != nil {
		return nil, fmt.Errorf("open network: %w", err)
	}
	if f.hub, err = openNamespace(hubPath(c.Dir)); err != nil {
		return nil, fmt.Errorf("open network: %w", err)
	}
	if err := f.setUp(); err != nil {
		f.hub.Close()
		return nil, fmt.Errorf("open network of cluster %s: %w", c.Cluster, err)
	}
	return f, nil
}

// setUp makes all that the host and the first node need, in the order in which teardown can undo it.
func (f *Fabric) setUp() error {
	if err := prepareNode(f.hub, f.addrs.services); err != nil {
		return err
	}
	if err := f.connectHost(); err != nil {
		return err
	}
	if f.c.Egress {
		return openEgress(f.c.Cluster, f.link, f.c.Ranges)
	}
	return closeEgress(f.c.Cluster)
}

// Close releases what this process holds open; the network stays.
func (f *Fabric) Close() error { return f.hub.Close() }

// Ranges are the cluster's addresses.
func (f *Fabric) Ranges() Ranges { return f.c.Ranges }

// HostIP is the host's address as nodes and pods see it.
func (f *Fabric) HostIP() netip.Addr { return f.addrs.host }

// DNSIP is the address that every node answers names on.
func (f *Fabric) DNSIP() netip.Addr { return f.addrs.dns }

func netnsDir(dir string) string       { return filepath.Join(dir, "network", "netns") }
func leaseDir(dir, node string) string { return filepath.Join(dir, "network", "leases", node) }

// hubPath is the first node's namespace; it has a name of its own because the node may not have one yet.
func hubPath(dir string) string { return filepath.Join(netnsDir(dir), ".hub") }

// lock orders the changes of several processes; it ends with its holder.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Join(dir, "network"), 0o711); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "network", "lock"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- unix.Flock(int(file.Fd()), unix.LOCK_EX) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		go func() { <-done; file.Close() }()
		return nil, fmt.Errorf("wait for the network's lock: %w", ctx.Err())
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("lock network: %w", err)
	}
	return func() { file.Close() }, nil
}
