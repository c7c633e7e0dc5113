// Package nodelifecycle watches over nodes: one whose kubelet has fallen silent becomes Unknown, its pods not ready, and its
// conditions become taints, which keep new pods away and drive old ones out. It deletes neither nodes nor pods.
package nodelifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	coordinationlisters "k8s.io/client-go/listers/coordination/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// startupGrace is how long a new node may take to report for the first time.
const startupGrace = 60 * time.Second

type reconciler struct {
	client kubernetes.Interface
	events record.EventRecorder
	nodes  corelisters.NodeLister
	leases coordinationlisters.LeaseLister
	pods   cache.Indexer
	grace  time.Duration
	seen   map[types.UID]sign // only the one worker touches it
}

// sign is the last sign of life of a node, and when it was noticed: by our clock, since the node's may be wrong.
type sign struct {
	renewed, heartbeat time.Time
	at                 time.Time
}

// New makes the nodelifecycle controller.
func New(c controller.Context) *controller.Controller {
	nodes, pods, leases := c.Informers.Core().V1().Nodes(), c.Informers.Core().V1().Pods(), c.Informers.Coordination().V1().Leases()
	controller.IndexPods(pods.Informer())
	r := &reconciler{
		client: c.As("node-controller"),
		events: c.Recorder("node-controller"),
		nodes:  nodes.Lister(),
		leases: leases.Lister(),
		pods:   pods.Informer().GetIndexer(),
		grace:  c.Config.WithDefaults().NodeMonitorGracePeriod,
		seen:   map[types.UID]sign{},
	}
	return controller.New("nodelifecycle", r.reconcile,
		controller.For(nodes),
		controller.Watches(leases, func(obj metav1.Object) []types.NamespacedName {
			if obj.GetNamespace() != corev1.NamespaceNodeLease {
				return nil
			}
			return []types.NamespacedName{{Name: obj.GetName()}}
		}),
		controller.Reads(pods),
		controller.Workers(1))
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	node, err := r.nodes.Get(key.Name)
	if apierrors.IsNotFound(err) {
		r.forget()
		return controller.Result{}, nil
	}
	if err != nil {
		return controller.Result{}, err
	}
	now := time.Now()
	lease, err := r.leases.Leases(corev1.NamespaceNodeLease).Get(node.Name)
	if err != nil {
		lease = nil
	}
	last := r.note(node, lease, now)
	grace := r.grace
	if condition(node, corev1.NodeReady) == nil {
		grace = max(grace, startupGrace)
	}
	result := controller.Result{After: last.at.Add(grace).Sub(now)}
	if result.After <= 0 {
		result.After = 0
		if node, err = r.markUnknown(ctx, node, now); err != nil {
			return controller.Result{}, err
		}
	}
	if err := r.taint(ctx, node, now); err != nil {
		return controller.Result{}, err
	}
	return result, r.markPods(ctx, node)
}

// note remembers a new sign of life.
func (r *reconciler) note(node *corev1.Node, lease *coordinationv1.Lease, now time.Time) sign {
	next, known := r.seen[node.UID]
	if !known {
		r.events.Eventf(nodeRef(node), corev1.EventTypeNormal, "RegisteredNode", "Node %s event: %s", node.Name, fmt.Sprintf("Registered Node %v in Controller", node.Name))
		next.at = now
	}
	var renewed, heartbeat time.Time
	if lease != nil && lease.Spec.RenewTime != nil {
		renewed = lease.Spec.RenewTime.Time
	}
	if ready := condition(node, corev1.NodeReady); ready != nil {
		heartbeat = ready.LastHeartbeatTime.Time
	}
	if renewed.After(next.renewed) || heartbeat.After(next.heartbeat) {
		next.renewed, next.heartbeat, next.at = renewed, heartbeat, now
	}
	r.seen[node.UID] = next
	return next
}

// forget drops what is remembered of nodes that are gone.
func (r *reconciler) forget() {
	all, err := r.nodes.List(labels.Everything())
	if err != nil {
		return
	}
	alive := map[types.UID]bool{}
	for _, node := range all {
		alive[node.UID] = true
	}
	for uid := range r.seen {
		if !alive[uid] {
			delete(r.seen, uid)
		}
	}
}

// markUnknown turns the conditions that the kubelet keeps to Unknown.
func (r *reconciler) markUnknown(ctx context.Context, stored *corev1.Node, now time.Time) (*corev1.Node, error) {
	node := stored.DeepCopy()
	setUnknown(node, now)
	if apiequality.Semantic.DeepEqual(stored.Status, node.Status) {
		return stored, nil
	}
	ready := condition(stored, corev1.NodeReady)
	updated, err := r.client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
	if err != nil {
		return nil, err
	}
	if ready != nil && ready.Status == corev1.ConditionTrue {
		r.events.Eventf(nodeRef(node), corev1.EventTypeNormal, "NodeNotReady", "Node %s status is now: %s", node.Name, "NodeNotReady")
	}
	return updated, nil
}

// taint writes the taints that the node's conditions call for.
func (r *reconciler) taint(ctx context.Context, node *corev1.Node, now time.Time) error {
	all, err := r.nodes.List(labels.Everything())
	if err != nil {
		return err
	}
	next := wantedTaints(node, !allSilent(all), metav1.NewTime(now))
	if apiequality.Semantic.DeepEqual(node.Spec.Taints, next) {
		return nil
	}
	if next == nil {
		next = []corev1.Taint{}
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": node.UID, "resourceVersion": node.ResourceVersion},
		"spec":     map[string]any{"taints": next},
	})
	if err != nil {
		return fmt.Errorf("taint node %s: %w", node.Name, err)
	}
	_, err = r.client.CoreV1().Nodes().Patch(ctx, node.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// markPods takes the pods of a node that is not ready out of their services.
func (r *reconciler) markPods(ctx context.Context, node *corev1.Node) error {
	ready := condition(node, corev1.NodeReady)
	if ready == nil || ready.Status == corev1.ConditionTrue {
		return nil
	}
	var errs []error
	for _, pod := range controller.PodsOn(r.pods, node.Name) {
		c := controller.PodCondition(pod, corev1.PodReady)
		if c == nil || c.Status != corev1.ConditionTrue {
			continue
		}
		r.events.Event(pod, corev1.EventTypeWarning, "NodeNotReady", "Node is not ready")
		err := controller.MarkPod(ctx, r.client, pod, "", controller.Condition(pod, corev1.PodReady, corev1.ConditionFalse, c.Reason, c.Message))
		if err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// nodeRef is what events about a node refer to.
func nodeRef(node *corev1.Node) *corev1.ObjectReference {
	return &corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}
}
