package replicaset

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

const (
	// burst bounds how many pods one reconcile creates or deletes.
	burst = 500
	// parallel bounds the requests under way for one ReplicaSet.
	parallel = 64
)

// manage creates the pods that are missing or deletes those that are too many.
func (r *reconciler) manage(ctx context.Context, rs *appsv1.ReplicaSet, active []*corev1.Pod) error {
	diff := len(active) - int(*rs.Spec.Replicas)
	switch {
	case diff < 0:
		_, err := slowStart(min(-diff, burst), func() error { return r.create(ctx, rs) })
		return err
	case diff > 0:
		return r.remove(ctx, rs, toDelete(active, r.related(rs), min(diff, burst), time.Now()))
	}
	return nil
}

// slowStart calls fn n times in batches of 1, 2, 4 …, at most parallel at a time, and stops after a batch with a failure:
// thousands of creates that a quota refuses would otherwise be sent and told of. It gives the number of successes.
func slowStart(n int, fn func() error) (int, error) {
	done := 0
	for batch := min(n, 1); batch > 0; batch = min(2*batch, n-done) {
		ok, err := each(batch, fn)
		done += ok
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// each calls fn n times, at most parallel at once, and gives the first error.
func each(n int, fn func() error) (ok int, first error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	turns := make(chan struct{}, n)
	for range n {
		turns <- struct{}{}
	}
	close(turns)
	for range min(n, parallel) {
		wg.Go(func() {
			for range turns {
				err := fn()
				mu.Lock()
				if err == nil {
					ok++
				} else if first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return ok, first
}

func (r *reconciler) create(ctx context.Context, rs *appsv1.ReplicaSet) error {
	pod := newPod(rs)
	if len(pod.Labels) == 0 {
		return fmt.Errorf("unable to create pods, no labels")
	}
	created, err := r.client.CoreV1().Pods(rs.Namespace).Create(ctx, pod, metav1.CreateOptions{})
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil // every creation fails from here on, and the ReplicaSet itself will go
	}
	if err != nil {
		r.events.Eventf(rs, corev1.EventTypeWarning, "FailedCreate", "Error creating: %v", err)
		return err
	}
	r.expect.Wrote(controller.Key(rs), r.podStore, created)
	r.events.Eventf(rs, corev1.EventTypeNormal, "SuccessfulCreate", "Created pod: %v", created.Name)
	return nil
}

func (r *reconciler) remove(ctx context.Context, rs *appsv1.ReplicaSet, pods []*corev1.Pod) error {
	queue := make(chan *corev1.Pod, len(pods))
	for _, pod := range pods {
		queue <- pod
	}
	_, err := each(len(pods), func() error { return r.delete(ctx, rs, <-queue) })
	return err
}

func (r *reconciler) delete(ctx context.Context, rs *appsv1.ReplicaSet, pod *corev1.Pod) error {
	err := r.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		r.events.Eventf(rs, corev1.EventTypeWarning, "FailedDelete", "Error deleting: %v", err)
		return fmt.Errorf("unable to delete pods: %v", err)
	}
	r.expect.Deleted(controller.Key(rs), r.podStore, pod)
	r.events.Eventf(rs, corev1.EventTypeNormal, "SuccessfulDelete", "Deleted pod: %v", pod.Name)
	return nil
}

// newPod is a pod of rs's template; the server names it.
func newPod(rs *appsv1.ReplicaSet) *corev1.Pod {
	prefix := rs.Name + "-"
	if len(validation.NameIsDNSSubdomain(prefix, true)) > 0 {
		prefix = rs.Name
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName:    prefix,
			Labels:          maps.Clone(rs.Spec.Template.Labels),
			Annotations:     maps.Clone(rs.Spec.Template.Annotations),
			Finalizers:      slices.Clone(rs.Spec.Template.Finalizers),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))},
		},
		Spec: *rs.Spec.Template.Spec.DeepCopy(),
	}
}

// related gives the active pods of all ReplicaSets of the same Deployment.
func (r *reconciler) related(rs *appsv1.ReplicaSet) []*corev1.Pod {
	siblings := []*appsv1.ReplicaSet{rs}
	if ref := metav1.GetControllerOfNoCopy(rs); ref != nil {
		if objs, err := r.setStore.ByIndex(byOwner, string(ref.UID)); err == nil {
			siblings = siblings[:0]
			for _, obj := range objs {
				siblings = append(siblings, obj.(*appsv1.ReplicaSet))
			}
		}
	}
	var pods []*corev1.Pod
	for _, s := range siblings {
		pods = append(pods, keep(controller.PodsOf(r.podStore, s, false), controller.IsActive)...)
	}
	return pods
}
