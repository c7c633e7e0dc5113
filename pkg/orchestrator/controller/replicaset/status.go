package replicaset

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// calculateStatus counts active and leaving pods. failed is why pods could not be created or deleted.
func calculateStatus(rs *appsv1.ReplicaSet, active, leaving []*corev1.Pod, failed error, now time.Time) appsv1.ReplicaSetStatus {
	status := appsv1.ReplicaSetStatus{
		Replicas:            int32(len(active)),
		TerminatingReplicas: new(int32(len(leaving))),
		ObservedGeneration:  rs.Generation,
		Conditions:          slices.Clone(rs.Status.Conditions),
	}
	full := labels.SelectorFromValidatedSet(rs.Spec.Template.Labels)
	for _, pod := range active {
		if full.Matches(labels.Set(pod.Labels)) {
			status.FullyLabeledReplicas++
		}
		if wait, ready := controller.AvailableIn(pod, rs.Spec.MinReadySeconds, now); controller.IsReady(pod) {
			status.ReadyReplicas++
			if ready && wait == 0 {
				status.AvailableReplicas++
			}
		}
	}
	index := slices.IndexFunc(status.Conditions, func(c appsv1.ReplicaSetCondition) bool { return c.Type == appsv1.ReplicaSetReplicaFailure })
	switch {
	case failed != nil && index < 0:
		reason := "FailedCreate"
		if len(active) > int(*rs.Spec.Replicas) {
			reason = "FailedDelete"
		}
		status.Conditions = append(status.Conditions, appsv1.ReplicaSetCondition{
			Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now),
			Reason: reason, Message: failed.Error(),
		})
	case failed == nil && index >= 0:
		status.Conditions = slices.Delete(status.Conditions, index, index+1)
	}
	return status
}

// nextAvailable is when the next ready pod will have been ready long enough; 0 if none is waiting.
func nextAvailable(active []*corev1.Pod, minReadySeconds int32, now time.Time) time.Duration {
	var next time.Duration
	for _, pod := range active {
		if wait, ready := controller.AvailableIn(pod, minReadySeconds, now); ready && wait > 0 && (next == 0 || wait < next) {
			next = wait
		}
	}
	return next
}
