// Package tainteviction deletes the pods that do not tolerate a NoExecute taint of their node, or no longer. Replacements are
// made elsewhere by whoever owns the pods.
package tainteviction

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

type reconciler struct {
	client kubernetes.Interface
	events record.EventRecorder
	nodes  corelisters.NodeLister
	pods   cache.Indexer
}

// New makes the tainteviction controller.
func New(c controller.Context) *controller.Controller {
	nodes, pods := c.Informers.Core().V1().Nodes(), c.Informers.Core().V1().Pods()
	controller.IndexPods(pods.Informer())
	r := &reconciler{
		client: c.As("taint-eviction-controller"),
		events: c.Recorder("taint-eviction-controller"),
		nodes:  nodes.Lister(),
		pods:   pods.Informer().GetIndexer(),
	}
	return controller.New("tainteviction", r.reconcile,
		controller.For(nodes),
		controller.WatchesChange(pods, r.nodeOf))
}

// nodeOf wakes the node of a pod that came to it or whose tolerations changed, if the node drives pods out at all.
func (r *reconciler) nodeOf(old, obj metav1.Object) []types.NamespacedName {
	pod := obj.(*corev1.Pod)
	if old != nil && old.(*corev1.Pod).Spec.NodeName == pod.Spec.NodeName && len(old.(*corev1.Pod).Spec.Tolerations) == len(pod.Spec.Tolerations) {
		return nil
	}
	node, err := r.nodes.Get(pod.Spec.NodeName)
	if err != nil || len(noExecute(node)) == 0 {
		return nil
	}
	return []types.NamespacedName{{Name: node.Name}}
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	node, err := r.nodes.Get(key.Name)
	if err != nil {
		return controller.Result{}, nil // pods of nodes that are gone are podgc's
	}
	taints := noExecute(node)
	if len(taints) == 0 {
		return controller.Result{}, nil
	}
	now := time.Now()
	var next time.Duration
	var errs []error
	for _, pod := range controller.PodsOn(r.pods, node.Name) {
		due, ever := dueAt(pod, taints, now)
		switch wait := due.Sub(now); {
		case !ever || pod.DeletionTimestamp != nil:
		case wait <= 0:
			errs = append(errs, r.evict(ctx, pod))
		case next == 0 || wait < next:
			next = wait
		}
	}
	return controller.Result{After: next}, errors.Join(errs...)
}

func (r *reconciler) evict(ctx context.Context, pod *corev1.Pod) error {
	r.events.Eventf(pod, corev1.EventTypeNormal, "TaintManagerEviction", "Marking for deletion Pod %s/%s", pod.Namespace, pod.Name)
	disrupted := controller.Condition(pod, corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")
	if err := controller.MarkPod(ctx, r.client, pod, "", disrupted); err != nil {
		return controller.IgnoreGone(err)
	}
	return controller.IgnoreGone(r.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		Preconditions: metav1.NewUIDPreconditions(string(pod.UID)),
	}))
}

func noExecute(node *corev1.Node) []corev1.Taint {
	var taints []corev1.Taint
	for _, t := range node.Spec.Taints {
		if t.Effect == corev1.TaintEffectNoExecute {
			taints = append(taints, t)
		}
	}
	return taints
}

// dueAt is when a pod must go; ever is false if it tolerates the taints for good. A toleration's seconds count from when the
// taint was set; the shortest of those that are used decides.
func dueAt(pod *corev1.Pod, taints []corev1.Taint, now time.Time) (due time.Time, ever bool) {
	for i := range taints {
		seconds, tolerated := tolerance(pod, &taints[i])
		at := now
		switch {
		case tolerated && seconds == nil:
			continue
		case tolerated:
			if taints[i].TimeAdded != nil {
				at = taints[i].TimeAdded.Time
			}
			at = at.Add(time.Duration(max(0, *seconds)) * time.Second)
		}
		if !ever || at.Before(due) {
			due, ever = at, true
		}
	}
	return due, ever
}

// tolerance gives the shortest time for which a pod tolerates a taint, nil for ever.
func tolerance(pod *corev1.Pod, taint *corev1.Taint) (seconds *int64, tolerated bool) {
	for i := range pod.Spec.Tolerations {
		t := &pod.Spec.Tolerations[i]
		if !t.ToleratesTaint(klog.Background(), taint, true) {
			continue
		}
		tolerated = true
		if t.TolerationSeconds != nil && (seconds == nil || *t.TolerationSeconds < *seconds) {
			seconds = t.TolerationSeconds
		}
	}
	return seconds, tolerated
}
