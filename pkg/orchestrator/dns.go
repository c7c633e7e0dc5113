package orchestrator

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"k8s.io/client-go/informers"

	"github.com/kubeskiff/skiff/pkg/orchestrator/network/dns"
)

// serveDNS answers names on the cluster's DNS address in the node's namespace; all others it asks of the host's resolvers, from the
// host's namespace, unless pods have no way out.
func (n *clusterNetwork) serveDNS(parts *parts, shared informers.SharedInformerFactory, log *slog.Logger) error {
	ranges := n.fabric.Ranges()
	config := dns.Config{
		Domain: "cluster.local", ServiceIP: n.fabric.DNSIP(), Informers: shared,
		Ranges: []netip.Prefix{ranges.Pods, ranges.Services, ranges.LoadBalancers, ranges.Nodes},
	}
	if n.config.Egress {
		config.Upstreams = dns.HostResolvers("/etc/resolv.conf")
	}
	n.dns = dns.New(config)
	address := net.JoinHostPort(n.fabric.DNSIP().String(), "53")
	udp, err := n.node.ListenPacket(parts.ctx, "udp", address)
	if err != nil {
		return fmt.Errorf("open the name service's port: %w", err)
	}
	tcp, err := n.node.Listen(parts.ctx, "tcp", address)
	if err != nil {
		udp.Close()
		return fmt.Errorf("open the name service's port: %w", err)
	}
	parts.run(n.dns.Run)
	parts.run(func(ctx context.Context) error { return ended(n.dns.Serve(ctx, udp, tcp)) })
	return nil
}

// waitDNS waits until names of all services that were there at the start are answered.
func (n *clusterNetwork) waitDNS(ctx context.Context) error {
	select {
	case <-n.dns.Ready():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
