package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"k8s.io/client-go/informers"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/network"
	"github.com/kubeskiff/skiff/pkg/orchestrator/network/dns"
)

// clusterNetwork is what one process holds of a cluster's network: the fabric and its own node.
type clusterNetwork struct {
	config  *Config
	fabric  *network.Fabric
	node    *network.Node
	dns     *dns.Server
	runtime container.Runtime // set once the node's containers are open
}

// opening is a network that is being made, while the control plane starts.
type opening struct {
	done    chan struct{}
	network *clusterNetwork
	err     error
}

// beginNetwork begins to make or take up the network of the first node.
func beginNetwork(ctx context.Context, c *Config) *opening {
	o := &opening{done: make(chan struct{})}
	go func() {
		defer close(o.done)
		o.network, o.err = openNodeNetwork(ctx, c, nodeName(c.Name, 1), 1)
	}()
	return o
}

func (o *opening) wait() (*clusterNetwork, error) {
	<-o.done
	return o.network, o.err
}

// close waits for the end and releases what there is. Why there is none whoever waited has told.
func (o *opening) close() error {
	n, err := o.wait()
	if err != nil {
		return nil
	}
	return n.close()
}

func openNodeNetwork(ctx context.Context, c *Config, node string, index int) (*clusterNetwork, error) {
	fabric, err := network.Open(ctx, network.Config{
		Cluster: c.Name, Dir: c.Dir, Egress: c.Egress,
		Ranges: network.Ranges{Pods: c.PodRange, Services: c.ServiceRange, LoadBalancers: c.LoadBalancerRange, Nodes: c.NodeRange},
	})
	if err != nil {
		return nil, err
	}
	n, err := fabric.AddNode(ctx, node, index)
	if err != nil {
		return nil, errors.Join(err, fabric.Close())
	}
	return &clusterNetwork{config: c, fabric: fabric, node: n}, nil
}

// serve keeps the node's rules and answers names, both from the informers of the process.
func (n *clusterNetwork) serve(parts *parts, shared informers.SharedInformerFactory, log *slog.Logger) error {
	hooks := network.Hooks{Failed: func(err error) { log.Error("program services", "error", err) }}
	parts.run(func(ctx context.Context) error { return n.node.RunServices(ctx, shared, hooks) })
	return n.serveDNS(parts, shared, log)
}

// close releases what the process holds; the network stays until teardown.
func (n *clusterNetwork) close() error { return errors.Join(n.node.Close(), n.fabric.Close()) }

// drained waits until the nodes have turned away from a pod's address.
func (n *clusterNetwork) drained(ctx context.Context, ip string, told func() bool) error {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return fmt.Errorf("pod address: %w", err)
	}
	return n.fabric.Drained(ctx, address, told)
}
