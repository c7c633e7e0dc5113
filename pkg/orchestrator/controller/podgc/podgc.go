// Package podgc removes pods that no kubelet will remove: those of nodes that are gone, those deleted before they were
// scheduled, and the oldest ended ones beyond a threshold. It reacts to events and waits; it never polls.
package podgc

import (
	"cmp"
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// quarantine is how long a node must be missing before its pods are removed.
const quarantine = 40 * time.Second

// Keys of three kinds share the queue: a pod's own, a node's (without namespace), and this one for the threshold.
var thresholdKey = types.NamespacedName{}

type reconciler struct {
	client    kubernetes.Interface
	pods      corelisters.PodLister
	nodes     corelisters.NodeLister
	store     cache.Indexer
	threshold int
	missing   map[string]time.Time // only the one worker touches it
}

// New makes the pod garbage collector.
func New(c controller.Context) *controller.Controller {
	pods, nodes := c.Informers.Core().V1().Pods(), c.Informers.Core().V1().Nodes()
	controller.IndexPods(pods.Informer())
	r := &reconciler{
		client:    c.As("pod-garbage-collector"),
		pods:      pods.Lister(),
		nodes:     nodes.Lister(),
		store:     pods.Informer().GetIndexer(),
		threshold: c.Config.WithDefaults().TerminatedPodThreshold,
		missing:   map[string]time.Time{},
	}
	return controller.New("podgc", r.reconcile,
		controller.For(nodes),
		controller.WatchesChange(pods, concerns),
		controller.Workers(1))
}

// concerns picks the few pod changes that matter.
func concerns(old, obj metav1.Object) []types.NamespacedName {
	pod := obj.(*corev1.Pod)
	var keys []types.NamespacedName
	var before corev1.Pod
	if old != nil {
		before = *old.(*corev1.Pod)
	}
	if pod.DeletionTimestamp != nil {
		keys = append(keys, controller.Key(pod))
	}
	if pod.Spec.NodeName != before.Spec.NodeName {
		keys = append(keys, types.NamespacedName{Name: pod.Spec.NodeName})
	}
	if controller.IsTerminal(pod) && !controller.IsTerminal(&before) {
		keys = append(keys, thresholdKey)
	}
	return keys
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	switch {
	case key == thresholdKey:
		return controller.Result{}, r.trim(ctx)
	case key.Namespace == "":
		return r.node(ctx, key.Name)
	}
	return controller.Result{}, r.pod(ctx, key)
}

// node removes the pods of a node that has been gone for a while.
func (r *reconciler) node(ctx context.Context, name string) (controller.Result, error) {
	if _, err := r.nodes.Get(name); err == nil {
		delete(r.missing, name)
		for _, pod := range controller.PodsOn(r.store, name) {
			if err := r.pod(ctx, controller.Key(pod)); err != nil {
				return controller.Result{}, err
			}
		}
		return controller.Result{}, nil
	}
	pods := controller.PodsOn(r.store, name)
	if len(pods) == 0 {
		delete(r.missing, name)
		return controller.Result{}, nil
	}
	since, known := r.missing[name]
	if !known {
		since = time.Now()
		r.missing[name] = since
	}
	if wait := quarantine - time.Since(since); wait > 0 {
		return controller.Result{After: wait}, nil
	}
	if _, err := r.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return controller.Result{After: quarantine}, err
	}
	for _, pod := range pods {
		condition := controller.Condition(pod, corev1.DisruptionTarget, corev1.ConditionTrue, "DeletionByPodGC", "PodGC: node no longer exists")
		if err := r.remove(ctx, pod, condition); err != nil {
			return controller.Result{}, err
		}
	}
	return controller.Result{}, nil
}

// pod removes a deleted pod that has no node, or whose node is declared out of service.
func (r *reconciler) pod(ctx context.Context, key types.NamespacedName) error {
	pod, err := r.pods.Pods(key.Namespace).Get(key.Name)
	if err != nil || pod.DeletionTimestamp == nil {
		return controller.IgnoreGone(err)
	}
	if pod.Spec.NodeName != "" {
		node, err := r.nodes.Get(pod.Spec.NodeName)
		if err != nil || !outOfService(node) {
			return controller.IgnoreGone(err)
		}
	}
	return r.remove(ctx, pod)
}

func (r *reconciler) trim(ctx context.Context) error {
	all, err := r.pods.List(labels.Everything())
	if err != nil {
		return err
	}
	for _, pod := range surplus(all, r.threshold) {
		if err := r.remove(ctx, pod); err != nil {
			return err
		}
	}
	return nil
}

// surplus gives the ended pods beyond the threshold, evicted ones first, then by age.
func surplus(all []*corev1.Pod, threshold int) []*corev1.Pod {
	var ended []*corev1.Pod
	for _, pod := range all {
		if controller.IsTerminal(pod) {
			ended = append(ended, pod)
		}
	}
	if threshold <= 0 || len(ended) <= threshold {
		return nil
	}
	slices.SortFunc(ended, func(a, b *corev1.Pod) int {
		return cmp.Or(-compareBool(evicted(a), evicted(b)),
			a.CreationTimestamp.Time.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return ended[:len(ended)-threshold]
}

// remove marks a pod failed, if it has not ended, and deletes it without grace: nobody would wait for its end.
func (r *reconciler) remove(ctx context.Context, pod *corev1.Pod, conditions ...corev1.PodCondition) error {
	if !controller.IsTerminal(pod) {
		if err := controller.MarkPod(ctx, r.client, pod, corev1.PodFailed, conditions...); err != nil {
			return controller.IgnoreGone(err)
		}
	}
	options := *metav1.NewDeleteOptions(0)
	options.Preconditions = metav1.NewUIDPreconditions(string(pod.UID))
	return controller.IgnoreGone(r.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, options))
}

func outOfService(node *corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			return false
		}
	}
	return slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService })
}

func evicted(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodFailed && p.Status.Reason == "Evicted"
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
