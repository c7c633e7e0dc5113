//go:build linux

package network

import (
	"context"
	"fmt"

	"github.com/kubeskiff/skiff/pkg/orchestrator/network/dns"
)

// ServeDNS answers names on the cluster's DNS address in this node's namespace until ctx ends. started, if not nil, is
// called once both sockets listen; s itself is Ready when its index is filled.
func (n *Node) ServeDNS(ctx context.Context, s *dns.Server, started func()) error {
	at := fmt.Sprintf("%s:53", n.f.addrs.dns)
	udp, err := n.ListenPacket(ctx, "udp4", at)
	if err != nil {
		return fmt.Errorf("listen for names: %w", err)
	}
	tcp, err := n.Listen(ctx, "tcp4", at)
	if err != nil {
		udp.Close()
		return fmt.Errorf("listen for names: %w", err)
	}
	if started != nil {
		started()
	}
	return s.Serve(ctx, udp, tcp)
}
