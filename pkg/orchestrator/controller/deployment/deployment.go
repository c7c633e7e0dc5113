// Package deployment drives each Deployment's ReplicaSets toward its pod template: rolling updates, recreation, scaling,
// rollback and the history of revisions. It never touches pods; that is the replicaset controller's work.
package deployment

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
	client      kubernetes.Interface
	events      record.EventRecorder
	expect      *controller.Expectations
	deployments appslisters.DeploymentLister
	replicaSets appslisters.ReplicaSetLister
	// stores of the informers, by which written resource versions are awaited
	deploymentStore, replicaSetStore, podStore cache.Indexer
}

// ownedSets indexes ReplicaSets by the UID of their controller.
const ownedSets = "replicaSetController"

// New makes the deployment controller.
func New(c controller.Context) *controller.Controller {
	deployments, sets, pods := c.Informers.Apps().V1().Deployments(), c.Informers.Apps().V1().ReplicaSets(), c.Informers.Core().V1().Pods()
	controller.IndexPods(pods.Informer())
	// the informer is not running yet, so that adding an index cannot fail
	_ = sets.Informer().AddIndexers(cache.Indexers{ownedSets: byController})
	r := &reconciler{
		client:          c.As("deployment-controller"),
		events:          c.Recorder("deployment-controller"),
		expect:          controller.NewExpectations(),
		deployments:     deployments.Lister(),
		replicaSets:     sets.Lister(),
		deploymentStore: deployments.Informer().GetIndexer(),
		replicaSetStore: sets.Informer().GetIndexer(),
		podStore:        pods.Informer().GetIndexer(),
	}
	return controller.New("deployment", r.reconcile,
		controller.For(deployments),
		controller.Owns(sets, r.adopters),
		controller.WatchesChange(pods, r.recreated),
		controller.Expecting(r.expect))
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	stored, err := r.deployments.Deployments(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		r.expect.Forget(key)
		return controller.Result{}, nil
	}
	if err != nil {
		return controller.Result{}, err
	}
	d := stored.DeepCopy()
	if selectsAll(d.Spec.Selector) {
		r.events.Event(d, corev1.EventTypeWarning, "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.")
		d.Status.ObservedGeneration = d.Generation
		return controller.Result{}, r.report(ctx, stored, d)
	}
	sets, err := r.claim(ctx, d)
	if err != nil {
		return controller.Result{}, err
	}
	s := newState(d, sets)
	progress, err := r.step(ctx, s)
	if err != nil {
		return controller.Result{}, r.reportFailure(ctx, stored, d, err)
	}
	now := time.Now()
	status := calculateStatus(d, s.new, s.all())
	if progress {
		progressStatus(d, &status, s.new, s.all(), metav1.NewTime(now))
	}
	wait := nextProgressCheck(d, &status, now)
	d.Status = status
	return controller.Result{After: wait}, r.report(ctx, stored, d)
}

// step carries the Deployment one step on. It says whether the step belongs to a rollout, whose progress is then judged.
func (r *reconciler) step(ctx context.Context, s *state) (progress bool, err error) {
	d := s.d
	if s.new != nil {
		if err := r.syncRevision(ctx, s); err != nil {
			return false, err
		}
	}
	if d.DeletionTimestamp != nil {
		return false, nil
	}
	setPausedCondition(d, metav1.Now())
	if to := rollbackTo(d); to != nil && !d.Spec.Paused {
		return false, r.rollback(ctx, s, *to)
	}
	if d.Spec.Paused || scalingEvent(d, s.all()) {
		if err := r.scaleAll(ctx, s, planScale(d, s.new, s.old)); err != nil {
			return false, err
		}
		if d.Spec.Paused && rollbackTo(d) == nil {
			return false, r.cleanUp(ctx, s)
		}
		return false, nil
	}
	switch d.Spec.Strategy.Type {
	case appsv1.RecreateDeploymentStrategyType:
		return true, r.recreate(ctx, s)
	case appsv1.RollingUpdateDeploymentStrategyType:
		return true, r.roll(ctx, s)
	}
	return false, fmt.Errorf("unexpected deployment strategy type: %s", d.Spec.Strategy.Type)
}

func (r *reconciler) roll(ctx context.Context, s *state) error {
	if s.new == nil {
		if err := r.createNew(ctx, s); err != nil {
			return err
		}
	}
	plan := planRolling(s.d, s.new, s.old)
	if len(plan) > 0 {
		return r.scaleAll(ctx, s, plan)
	}
	if complete(s.d, &s.d.Status) {
		return r.cleanUp(ctx, s)
	}
	return nil
}

func (r *reconciler) recreate(ctx context.Context, s *state) error {
	if down := planDown(s.old); len(down) > 0 {
		return r.scaleAll(ctx, s, down)
	}
	if r.oldPodsRunning(s) {
		return nil
	}
	if s.new == nil {
		if err := r.createNew(ctx, s); err != nil {
			return err
		}
	}
	if err := r.scaleAll(ctx, s, planTo(s.new, *s.d.Spec.Replicas)); err != nil {
		return err
	}
	if complete(s.d, &s.d.Status) {
		return r.cleanUp(ctx, s)
	}
	return nil
}

func (r *reconciler) oldPodsRunning(s *state) bool {
	if actual(s.old) > 0 {
		return true
	}
	for _, rs := range s.old {
		for _, pod := range controller.PodsOf(r.podStore, rs, false) {
			if !controller.IsTerminal(pod) {
				return true
			}
		}
	}
	return false
}

// report writes status, and the revision annotation with it, if either changed.
func (r *reconciler) report(ctx context.Context, stored, d *appsv1.Deployment) error {
	if apiequality.Semantic.DeepEqual(stored.Status, d.Status) && stored.Annotations[revisionAnnotation] == d.Annotations[revisionAnnotation] {
		return nil
	}
	written, err := r.client.AppsV1().Deployments(d.Namespace).UpdateStatus(ctx, d, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	r.expect.Wrote(controller.Key(d), r.deploymentStore, written)
	return nil
}

// reportFailure keeps what a failed step left in the status (a new collision count, why a ReplicaSet could not be made).
func (r *reconciler) reportFailure(ctx context.Context, stored, d *appsv1.Deployment, cause error) error {
	if d.DeletionTimestamp == nil && !apierrors.IsConflict(cause) {
		if err := r.report(ctx, stored, d); err != nil {
			return fmt.Errorf("%w (and status was not written: %v)", cause, err)
		}
	}
	return cause
}

func (r *reconciler) claim(ctx context.Context, d *appsv1.Deployment) ([]*appsv1.ReplicaSet, error) {
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("deployment %s/%s has invalid label selector: %v", d.Namespace, d.Name, err)
	}
	var sets []*appsv1.ReplicaSet
	for _, owner := range []string{string(d.UID), "orphans/" + d.Namespace} {
		objs, err := r.replicaSetStore.ByIndex(ownedSets, owner)
		if err != nil {
			return nil, err
		}
		for _, obj := range objs {
			sets = append(sets, obj.(*appsv1.ReplicaSet))
		}
	}
	return controller.Claimed(ctx, controller.Claim{
		Owner: d, Kind: appsv1.SchemeGroupVersion.WithKind("Deployment"), Selector: selector,
		Fresh: func(ctx context.Context) (metav1.Object, error) {
			return r.client.AppsV1().Deployments(d.Namespace).Get(ctx, d.Name, metav1.GetOptions{})
		},
		Patch: func(ctx context.Context, name string, patch []byte) error {
			rs, err := r.client.AppsV1().ReplicaSets(d.Namespace).Patch(ctx, name, controller.PatchType, patch, metav1.PatchOptions{})
			if err == nil {
				r.expect.Wrote(controller.Key(d), r.replicaSetStore, rs)
			}
			return err
		},
	}, sets)
}

// adopters gives the Deployments that select an orphaned ReplicaSet.
func (r *reconciler) adopters(obj metav1.Object) []types.NamespacedName {
	all, err := r.deployments.Deployments(obj.GetNamespace()).List(labels.Everything())
	if err != nil || len(obj.GetLabels()) == 0 {
		return nil
	}
	var keys []types.NamespacedName
	for _, d := range all {
		selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
		if err == nil && !selector.Empty() && selector.Matches(labels.Set(obj.GetLabels())) {
			keys = append(keys, controller.Key(d))
		}
	}
	return keys
}

// recreated gives the Deployment that waits for a pod to end before it recreates its pods.
func (r *reconciler) recreated(old, obj metav1.Object) []types.NamespacedName {
	pod := obj.(*corev1.Pod)
	if old != nil && controller.IsTerminal(old.(*corev1.Pod)) == controller.IsTerminal(pod) {
		return nil
	}
	ref := metav1.GetControllerOfNoCopy(pod)
	if ref == nil {
		return nil
	}
	rs, err := r.replicaSets.ReplicaSets(pod.Namespace).Get(ref.Name)
	if err != nil || rs.UID != ref.UID {
		return nil
	}
	owner := metav1.GetControllerOfNoCopy(rs)
	if owner == nil {
		return nil
	}
	d, err := r.deployments.Deployments(pod.Namespace).Get(owner.Name)
	if err != nil || d.UID != owner.UID || d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		return nil
	}
	return []types.NamespacedName{controller.Key(d)}
}

func byController(obj any) ([]string, error) {
	rs := obj.(*appsv1.ReplicaSet)
	if ref := metav1.GetControllerOfNoCopy(rs); ref != nil {
		return []string{string(ref.UID)}, nil
	}
	return []string{"orphans/" + rs.Namespace}, nil
}

func selectsAll(s *metav1.LabelSelector) bool {
	return s != nil && len(s.MatchLabels) == 0 && len(s.MatchExpressions) == 0
}
