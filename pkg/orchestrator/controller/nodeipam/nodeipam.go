// Package nodeipam gives each node that has none a range of pod addresses, cut from the cluster's. Nodes that bring their own
// keep it.
package nodeipam

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

type reconciler struct {
	client kubernetes.Interface
	events record.EventRecorder
	nodes  corelisters.NodeLister
	pool   netip.Prefix
	bits   int
	given  map[string]netip.Prefix // only the one worker touches it
}

// New makes the controller of node ranges; c.Config.PodRange must be valid.
func New(c controller.Context) *controller.Controller {
	nodes := c.Informers.Core().V1().Nodes()
	config := c.Config.WithDefaults()
	r := &reconciler{
		client: c.As("node-controller"), events: c.Recorder("cidrAllocator"),
		nodes: nodes.Lister(), pool: config.PodRange, bits: config.NodePodBits, given: map[string]netip.Prefix{},
	}
	return controller.New("nodeipam", r.reconcile, controller.For(nodes), controller.Workers(1))
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	node, err := r.nodes.Get(key.Name)
	if apierrors.IsNotFound(err) {
		delete(r.given, key.Name)
		return controller.Result{}, nil
	}
	if err != nil || node.Spec.PodCIDR != "" {
		return controller.Result{}, err
	}
	all, err := r.nodes.List(labels.Everything())
	if err != nil {
		return controller.Result{}, err
	}
	used := map[netip.Prefix]bool{}
	for _, other := range all {
		for _, cidr := range other.Spec.PodCIDRs {
			if p, err := netip.ParsePrefix(cidr); err == nil {
				used[p.Masked()] = true
			}
		}
	}
	for name, p := range r.given {
		used[p] = used[p] || name != key.Name
	}
	free, err := firstFree(r.pool, r.bits, used)
	if err != nil {
		r.events.Eventf(node, corev1.EventTypeNormal, "CIDRNotAvailable", "Node %s status is now: %s", node.Name, "CIDRNotAvailable")
		return controller.Result{}, err
	}
	r.given[key.Name] = free
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"podCIDR": free.String(), "podCIDRs": []string{free.String()}}})
	if err != nil {
		return controller.Result{}, err
	}
	_, err = r.client.CoreV1().Nodes().Patch(ctx, node.Name, controller.PatchType, patch, metav1.PatchOptions{})
	return controller.Result{}, err
}

// firstFree cuts pool into ranges of the given length and gives the first that overlaps nothing used.
func firstFree(pool netip.Prefix, bits int, used map[netip.Prefix]bool) (netip.Prefix, error) {
	if bits < pool.Bits() || bits > pool.Addr().BitLen() {
		return netip.Prefix{}, fmt.Errorf("node ranges of /%d do not fit into %s", bits, pool)
	}
	for p := netip.PrefixFrom(pool.Masked().Addr(), bits); pool.Overlaps(p); {
		if !overlapsAny(p, used) {
			return p, nil
		}
		next, ok := following(p)
		if !ok {
			break
		}
		p = next
	}
	return netip.Prefix{}, fmt.Errorf("no range of /%d is left in %s", bits, pool)
}

func overlapsAny(p netip.Prefix, used map[netip.Prefix]bool) bool {
	if used[p] {
		return true
	}
	for u, is := range used {
		if is && u.Overlaps(p) {
			return true
		}
	}
	return false
}

// following is the range of the same length behind p.
func following(p netip.Prefix) (netip.Prefix, bool) {
	bytes := p.Addr().AsSlice()
	n := new(big.Int).SetBytes(bytes)
	n.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(len(bytes)*8-p.Bits())))
	if n.BitLen() > len(bytes)*8 {
		return netip.Prefix{}, false
	}
	addr, ok := netip.AddrFromSlice(n.FillBytes(bytes))
	return netip.PrefixFrom(addr, p.Bits()), ok
}
