//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// Attach connects the network namespace at path: an address of the node's range that stays the sandbox's until Detach, a
// link to the node, and the host ports. Repeating it gives the same addresses.
func (n *Node) Attach(ctx context.Context, sandboxID, netnsPath string, ports []container.HostPort) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l, isNew, err := n.leases.take(sandboxID, ports)
	if err != nil {
		return nil, fmt.Errorf("attach sandbox %s: %w", sandboxID, err)
	}
	if err := n.connectPod(netnsPath, l.IP); err != nil {
		if isNew {
			err = errors.Join(err, n.leases.drop(sandboxID))
		}
		return nil, fmt.Errorf("attach sandbox %s: %w", sandboxID, err)
	}
	if len(l.Ports) > 0 {
		if err := n.rules.set(hostPortKey(sandboxID), planHostPorts(sandboxID, l)); err != nil {
			return nil, fmt.Errorf("open host ports of sandbox %s: %w", sandboxID, errors.Join(err, n.Detach(ctx, sandboxID)))
		}
	}
	return []string{l.IP.String()}, nil
}

// Detach undoes Attach, also when the sandbox's namespace is gone; a sandbox that has nothing is success.
func (n *Node) Detach(_ context.Context, sandboxID string) error {
	l, ok := n.leases.get(sandboxID)
	if !ok {
		return nil
	}
	var err error
	if len(l.Ports) > 0 {
		err = n.rules.set(hostPortKey(sandboxID), part{})
	}
	n.attach.Lock()
	err = errors.Join(err, deleteLink(n.ns.nl, podLinkName(l.IP)))
	n.attach.Unlock()
	if err == nil {
		err = n.leases.drop(sandboxID)
	}
	if err != nil {
		return fmt.Errorf("detach sandbox %s: %w", sandboxID, err)
	}
	return nil
}

// connectPod makes the point-to-point link of a pod, unless it is whole.
func (n *Node) connectPod(path string, ip netip.Addr) error {
	pod, err := joinNamespace(path)
	if err != nil {
		return err
	}
	defer pod.Close()
	n.attach.Lock()
	defer n.attach.Unlock()
	name, gateway := podLinkName(ip), nth(n.pods, 1)
	if err := n.podLink(pod, name, ip); err != nil {
		return err
	}
	err = n.configurePod(pod, name, ip, gateway)
	if err != nil {
		return errors.Join(err, deleteLink(n.ns.nl, name))
	}
	return nil
}

func (n *Node) podLink(pod *namespace, name string, ip netip.Addr) error {
	here, err := hasLink(n.ns.nl, name)
	if err != nil {
		return err
	}
	if here {
		there, err := hasLink(pod.nl, uplink)
		if err != nil || there {
			return err
		}
		if err := deleteLink(n.ns.nl, name); err != nil {
			return err
		}
	}
	err = n.ns.nl.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: name, MTU: n.f.mtu, HardwareAddr: macOf(nth(n.pods, 1))},
		PeerName:  uplink, PeerHardwareAddr: macOf(ip), PeerNamespace: netlink.NsFd(pod.fd),
	})
	if err != nil {
		return fmt.Errorf("make link %s: %w", name, err)
	}
	return nil
}

// configurePod sets both ends: the pod sends everything to the gateway, the node knows just the pod behind the link.
func (n *Node) configurePod(pod *namespace, name string, ip, gateway netip.Addr) error {
	lo, err := pod.nl.LinkByName("lo")
	if err == nil {
		err = pod.nl.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("set the pod's lo up: %w", err)
	}
	l, err := n.ns.nl.LinkByName(name)
	if err == nil {
		err = n.ns.nl.LinkSetUp(l)
	}
	if err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	err = end{nl: n.ns.nl, name: name, ip: n.ip, peer: ip, peerMAC: macOf(ip),
		routes: []netip.Prefix{netip.PrefixFrom(ip, 32)}}.reach(l)
	if err != nil {
		return err
	}
	return end{nl: pod.nl, name: uplink, ip: ip, peer: gateway, peerMAC: macOf(gateway),
		routes: []netip.Prefix{netip.PrefixFrom(gateway, 32), everywhere}}.configure()
}
