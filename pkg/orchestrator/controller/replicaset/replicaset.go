// Package replicaset keeps as many pods alive as each ReplicaSet asks for: creates them in growing batches, deletes those
// that are missed least, and counts them. It never restarts or moves a pod.
package replicaset

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	appslisters "k8s.io/client-go/listers/apps/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

type reconciler struct {
	client             kubernetes.Interface
	events             record.EventRecorder
	expect             *controller.Expectations
	sets               appslisters.ReplicaSetLister
	setStore, podStore cache.Indexer
}

// byOwner indexes ReplicaSets by the UID of their Deployment.
const byOwner = "replicaSetsByOwner"

// New makes the replicaset controller.
func New(c controller.Context) *controller.Controller {
	sets, pods := c.Informers.Apps().V1().ReplicaSets(), c.Informers.Core().V1().Pods()
	controller.IndexPods(pods.Informer())
	// the informer is not running yet, so that adding an index cannot fail
	_ = sets.Informer().AddIndexers(cache.Indexers{byOwner: ownerUID})
	r := &reconciler{
		client:   c.As("replicaset-controller"),
		events:   c.Recorder("replicaset-controller"),
		expect:   controller.NewExpectations(),
		sets:     sets.Lister(),
		setStore: sets.Informer().GetIndexer(),
		podStore: pods.Informer().GetIndexer(),
	}
	return controller.New("replicaset", r.reconcile,
		controller.For(sets),
		controller.Owns(pods, r.adopters),
		controller.Expecting(r.expect))
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	rs, err := r.sets.ReplicaSets(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		r.expect.Forget(key)
		return controller.Result{}, nil
	}
	if err != nil {
		return controller.Result{}, err
	}
	selector, err := metav1.LabelSelectorAsSelector(rs.Spec.Selector)
	if err != nil {
		return controller.Result{}, nil // validation refuses such a selector; trying again would not help
	}
	pods := controller.PodsOf(r.podStore, rs, true)
	active, err := r.claim(ctx, rs, selector, keep(pods, controller.IsActive))
	if err != nil {
		return controller.Result{}, err
	}
	leaving := keep(pods, func(p *corev1.Pod) bool {
		return p.DeletionTimestamp != nil && !controller.IsTerminal(p) && metav1.IsControlledBy(p, rs) && selector.Matches(labels.Set(p.Labels))
	})
	var manageErr error
	if rs.DeletionTimestamp == nil {
		manageErr = r.manage(ctx, rs, active)
	}
	now := time.Now()
	if err := r.report(ctx, rs, calculateStatus(rs, active, leaving, manageErr, now)); err != nil {
		return controller.Result{}, err
	}
	return controller.Result{After: nextAvailable(active, rs.Spec.MinReadySeconds, now)}, manageErr
}

func (r *reconciler) claim(ctx context.Context, rs *appsv1.ReplicaSet, selector labels.Selector, pods []*corev1.Pod) ([]*corev1.Pod, error) {
	return controller.Claimed(ctx, controller.Claim{
		Owner: rs, Kind: appsv1.SchemeGroupVersion.WithKind("ReplicaSet"), Selector: selector,
		Fresh: func(ctx context.Context) (metav1.Object, error) {
			return r.client.AppsV1().ReplicaSets(rs.Namespace).Get(ctx, rs.Name, metav1.GetOptions{})
		},
		Patch: func(ctx context.Context, name string, patch []byte) error {
			pod, err := r.client.CoreV1().Pods(rs.Namespace).Patch(ctx, name, controller.PatchType, patch, metav1.PatchOptions{})
			if err == nil {
				r.expect.Wrote(controller.Key(rs), r.podStore, pod)
			}
			return err
		},
	}, pods)
}

// report writes the status if it changed; a conflict is tried once more on the fresh object, as upstream does.
func (r *reconciler) report(ctx context.Context, stored *appsv1.ReplicaSet, status appsv1.ReplicaSetStatus) error {
	if apiequality.Semantic.DeepEqual(stored.Status, status) {
		return nil
	}
	client := r.client.AppsV1().ReplicaSets(stored.Namespace)
	rs := stored.DeepCopy()
	for try := 0; ; try++ {
		rs.Status = status
		written, err := client.UpdateStatus(ctx, rs, metav1.UpdateOptions{})
		if err == nil {
			r.expect.Wrote(controller.Key(rs), r.setStore, written)
			return nil
		}
		if try > 0 || !apierrors.IsConflict(err) {
			return err
		}
		if rs, err = client.Get(ctx, stored.Name, metav1.GetOptions{}); err != nil {
			return err
		}
		if rs.UID != stored.UID {
			return fmt.Errorf("write status of replicaset %s/%s: it was replaced by another one", stored.Namespace, stored.Name)
		}
	}
}

// adopters gives the ReplicaSets that select an orphaned pod.
func (r *reconciler) adopters(obj metav1.Object) []types.NamespacedName {
	if len(obj.GetLabels()) == 0 {
		return nil
	}
	all, err := r.sets.ReplicaSets(obj.GetNamespace()).List(labels.Everything())
	if err != nil {
		return nil
	}
	var keys []types.NamespacedName
	for _, rs := range all {
		selector, err := metav1.LabelSelectorAsSelector(rs.Spec.Selector)
		if err == nil && !selector.Empty() && selector.Matches(labels.Set(obj.GetLabels())) {
			keys = append(keys, controller.Key(rs))
		}
	}
	return keys
}

func ownerUID(obj any) ([]string, error) {
	if ref := metav1.GetControllerOfNoCopy(obj.(*appsv1.ReplicaSet)); ref != nil {
		return []string{string(ref.UID)}, nil
	}
	return nil, nil
}

func keep(pods []*corev1.Pod, want func(*corev1.Pod) bool) []*corev1.Pod {
	var kept []*corev1.Pod
	for _, p := range pods {
		if want(p) {
			kept = append(kept, p)
		}
	}
	return kept
}
