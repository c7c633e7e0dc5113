package deployment

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// syncRevision brings the new ReplicaSet's annotations up to date and notes its revision in the Deployment.
func (r *reconciler) syncRevision(ctx context.Context, s *state) error {
	rs := s.new.DeepCopy()
	changed := annotate(s.d, rs, maxRevision(s.old)+1)
	if changed || rs.Spec.MinReadySeconds != s.d.Spec.MinReadySeconds {
		rs.Spec.MinReadySeconds = s.d.Spec.MinReadySeconds
		if err := r.update(ctx, s, rs); err != nil {
			return err
		}
	}
	setRevision(s.d, s.new.Annotations[revisionAnnotation])
	if hasDeadline(s.d) && getCondition(&s.d.Status, appsv1.DeploymentProgressing) == nil {
		setCondition(&s.d.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, "FoundNewReplicaSet",
			fmt.Sprintf("Found new replica set %q", s.new.Name), metav1.Now()))
	}
	return nil
}

// createNew creates the ReplicaSet of the current template, of the size that the rollout allows at once.
func (r *reconciler) createNew(ctx context.Context, s *state) error {
	d := s.d
	revision := maxRevision(s.old) + 1
	rs := newReplicaSet(d, revision)
	*rs.Spec.Replicas = newSize(d, 0, wanted(s.old))
	created, err := r.client.AppsV1().ReplicaSets(d.Namespace).Create(ctx, rs, metav1.CreateOptions{})
	fresh := err == nil
	switch {
	case apierrors.IsAlreadyExists(err):
		if created, err = r.sameOrCollision(ctx, d, rs.Name, err); err != nil {
			return err
		}
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return err
	case err != nil:
		message := fmt.Sprintf("Failed to create new replica set %q: %v", rs.Name, err)
		if hasDeadline(d) {
			setCondition(&d.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionFalse, "ReplicaSetCreateError", message, metav1.Now()))
		}
		r.events.Event(d, corev1.EventTypeWarning, "ReplicaSetCreateError", message)
		return err
	}
	r.expect.Wrote(controller.Key(d), r.replicaSetStore, created)
	s.new = created
	if fresh && *created.Spec.Replicas > 0 {
		r.events.Eventf(d, corev1.EventTypeNormal, "ScalingReplicaSet", "Scaled up replica set %s from 0 to %d", created.Name, *created.Spec.Replicas)
	}
	setRevision(d, strconv.FormatInt(revision, 10))
	if fresh && hasDeadline(d) {
		setCondition(&d.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, "NewReplicaSetCreated",
			fmt.Sprintf("Created new replica set %q", created.Name), metav1.Now()))
	}
	return nil
}

// sameOrCollision tells our own ReplicaSet, which the informer does not show yet, from another of the same hash. A collision
// raises the count that goes into the next hash.
func (r *reconciler) sameOrCollision(ctx context.Context, d *appsv1.Deployment, name string, exists error) (*appsv1.ReplicaSet, error) {
	rs, err := r.client.AppsV1().ReplicaSets(d.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	if metav1.IsControlledBy(rs, d) && sameTemplate(&d.Spec.Template, &rs.Spec.Template) {
		return rs, nil
	}
	if d.Status.CollisionCount == nil {
		d.Status.CollisionCount = new(int32)
	}
	*d.Status.CollisionCount++
	return nil, exists
}

// scaleAll carries a plan out, in order.
func (r *reconciler) scaleAll(ctx context.Context, s *state, plan []scaling) error {
	for _, step := range plan {
		if err := r.scale(ctx, s, step); err != nil {
			return err
		}
	}
	return nil
}

func (r *reconciler) scale(ctx context.Context, s *state, step scaling) error {
	rs := s.byName(step.name).DeepCopy()
	from := *rs.Spec.Replicas
	resized := from != step.to
	if annotated := setCounts(rs, s.d); !resized && !(step.annotate && annotated) {
		return nil
	}
	*rs.Spec.Replicas = step.to
	if err := r.update(ctx, s, rs); err != nil {
		return err
	}
	if resized {
		direction := "down"
		if from < step.to {
			direction = "up"
		}
		r.events.Eventf(s.d, corev1.EventTypeNormal, "ScalingReplicaSet", "Scaled %s replica set %s from %d to %d", direction, rs.Name, from, step.to)
	}
	return nil
}

func (r *reconciler) update(ctx context.Context, s *state, rs *appsv1.ReplicaSet) error {
	updated, err := r.client.AppsV1().ReplicaSets(rs.Namespace).Update(ctx, rs, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	r.expect.Wrote(controller.Key(s.d), r.replicaSetStore, updated)
	s.put(updated)
	return nil
}

// cleanUp deletes old ReplicaSets beyond the history limit.
func (r *reconciler) cleanUp(ctx context.Context, s *state) error {
	for _, rs := range expired(s.d, s.old) {
		err := r.client.AppsV1().ReplicaSets(rs.Namespace).Delete(ctx, rs.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		r.expect.Deleted(controller.Key(s.d), r.replicaSetStore, rs)
	}
	return nil
}

// expired gives the old ReplicaSets that the history limit leaves no room for, except those that still have pods.
func expired(d *appsv1.Deployment, old []*appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	if d.Spec.RevisionHistoryLimit == nil || *d.Spec.RevisionHistoryLimit == math.MaxInt32 {
		return nil
	}
	var alive []*appsv1.ReplicaSet
	for _, rs := range old {
		if rs.DeletionTimestamp == nil {
			alive = append(alive, rs)
		}
	}
	excess := len(alive) - int(*d.Spec.RevisionHistoryLimit)
	if excess <= 0 {
		return nil
	}
	slices.SortFunc(alive, func(a, b *appsv1.ReplicaSet) int {
		return cmp.Or(cmp.Compare(revisionOf(a), revisionOf(b)), byCreation(a, b))
	})
	var gone []*appsv1.ReplicaSet
	for _, rs := range alive[:excess] {
		if rs.Status.Replicas == 0 && *rs.Spec.Replicas == 0 && rs.Generation <= rs.Status.ObservedGeneration {
			gone = append(gone, rs)
		}
	}
	return gone
}

func setRevision(d *appsv1.Deployment, revision string) {
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	d.Annotations[revisionAnnotation] = revision
}
