//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

var _ container.Network = (*Node)(nil)

// Node is one node's network: its namespace, its pods' links and leases, its Services. It implements container.Network.
type Node struct {
	name   string
	index  int
	f      *Fabric
	ns     *namespace
	ip     netip.Addr
	pods   netip.Prefix
	leases *leases
	rules  *programmer

	attach sync.Mutex // one link at a time: the kernel has one lock for them anyway
}

// AddNode makes the namespace of a node and its routes, or takes up the existing one. The index, from 1, decides the node's
// address and pod range; index 1 is the node that the host's link leads to. Other processes may add other nodes meanwhile.
func (f *Fabric) AddNode(ctx context.Context, name string, index int) (*Node, error) {
	if err := f.addrs.checkIndex(index); err != nil {
		return nil, fmt.Errorf("add %s to the network: %w", name, err)
	}
	if name == "" || name == "." || name == ".." || filepath.Base(name) != name {
		return nil, fmt.Errorf("add node to the network: bad name %q", name)
	}
	unlock, err := lock(ctx, f.c.Dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	n := &Node{name: name, index: index, f: f, ip: f.addrs.node(index), pods: f.addrs.pods(index)}
	if n.ns, err = f.nodeNamespace(name, index); err != nil {
		return nil, fmt.Errorf("add %s to the network: %w", name, err)
	}
	if n.leases, err = openLeases(leaseDir(f.c.Dir, name), n.pods); err == nil {
		err = f.wire(n)
	}
	if err != nil {
		n.ns.Close()
		return nil, fmt.Errorf("add %s to the network: %w", name, err)
	}
	n.rules = newProgrammer(n)
	if err := n.rules.open(); err != nil {
		n.ns.Close()
		return nil, fmt.Errorf("add %s to the network: %w", name, err)
	}
	return n, nil
}

// nodeNamespace opens a node's namespace; the first node's is the one the host's link leads to.
func (f *Fabric) nodeNamespace(name string, index int) (*namespace, error) {
	path := filepath.Join(netnsDir(f.c.Dir), name)
	if index > 1 {
		return openNamespace(path)
	}
	if bound, err := isNamespace(path); err != nil {
		return nil, err
	} else if !bound {
		if err := bindAgain(hubPath(f.c.Dir), path); err != nil {
			return nil, err
		}
	}
	return joinNamespace(path)
}

// RemoveNode takes a node's namespace, links and leases away. Pods that still run there are cut off.
func (f *Fabric) RemoveNode(ctx context.Context, name string, index int) error {
	unlock, err := lock(ctx, f.c.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	err = removeNamespace(filepath.Join(netnsDir(f.c.Dir), name))
	if index > 1 {
		err = errors.Join(err, deleteLink(f.hub.nl, spokeName(index)))
	}
	if err = errors.Join(err, os.RemoveAll(leaseDir(f.c.Dir, name))); err != nil {
		return fmt.Errorf("remove %s from the network: %w", name, err)
	}
	return nil
}

// Close releases what this process holds open of the node; its network stays.
func (n *Node) Close() error { return errors.Join(n.rules.close(), n.ns.Close()) }

// Name is the node's.
func (n *Node) Name() string { return n.name }

// IP is the node's address.
func (n *Node) IP() netip.Addr { return n.ip }

// PodRange is what the node's pods get their addresses from.
func (n *Node) PodRange() netip.Prefix { return n.pods }

// NodeNamespace is the path of the node's network namespace.
func (n *Node) NodeNamespace() string { return n.ns.path }
