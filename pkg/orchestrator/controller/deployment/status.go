package deployment

import (
	"fmt"
	"math"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of the Progressing condition.
const (
	reasonAvailable = "NewReplicaSetAvailable"
	reasonTimedOut  = "ProgressDeadlineExceeded"
	reasonPaused    = "DeploymentPaused"
)

// calculateStatus counts, and judges availability. Conditions of d stay as they are.
func calculateStatus(d *appsv1.Deployment, newSet *appsv1.ReplicaSet, all []*appsv1.ReplicaSet) appsv1.DeploymentStatus {
	status := appsv1.DeploymentStatus{
		ObservedGeneration:  d.Generation,
		Replicas:            actual(all),
		ReadyReplicas:       sum(all, func(rs *appsv1.ReplicaSet) int32 { return rs.Status.ReadyReplicas }),
		AvailableReplicas:   available(all),
		TerminatingReplicas: terminating(all),
		CollisionCount:      d.Status.CollisionCount,
		Conditions:          slices.Clone(d.Status.Conditions),
	}
	if newSet != nil {
		status.UpdatedReplicas = newSet.Status.Replicas
	}
	status.UnavailableReplicas = max(0, wanted(all)-status.AvailableReplicas)
	_, unavailable := limits(d)
	if status.AvailableReplicas >= *d.Spec.Replicas-unavailable {
		setCondition(&status, condition(appsv1.DeploymentAvailable, corev1.ConditionTrue, "MinimumReplicasAvailable", "Deployment has minimum availability.", metav1.Now()))
	} else {
		setCondition(&status, condition(appsv1.DeploymentAvailable, corev1.ConditionFalse, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", metav1.Now()))
	}
	return status
}

// terminating adds up the pods on their way out; it is unknown while a ReplicaSet that was observed does not say.
func terminating(sets []*appsv1.ReplicaSet) *int32 {
	total := int32(0)
	for _, rs := range sets {
		switch {
		case rs.Status.TerminatingReplicas != nil:
			total += *rs.Status.TerminatingReplicas
		case rs.Status.ObservedGeneration != 0:
			return nil
		}
	}
	return &total
}

// progressStatus judges a rollout: complete, progressing, or past its deadline; and takes over failures of ReplicaSets.
func progressStatus(d *appsv1.Deployment, status *appsv1.DeploymentStatus, newSet *appsv1.ReplicaSet, all []*appsv1.ReplicaSet, now metav1.Time) {
	if !hasDeadline(d) {
		removeCondition(status, appsv1.DeploymentProgressing)
	}
	current := getCondition(&d.Status, appsv1.DeploymentProgressing)
	done := status.Replicas == status.UpdatedReplicas && current != nil && current.Reason == reasonAvailable
	if hasDeadline(d) && !done {
		what := fmt.Sprintf("Deployment %q", d.Name)
		if newSet != nil {
			what = fmt.Sprintf("ReplicaSet %q", newSet.Name)
		}
		switch {
		case complete(d, status):
			setCondition(status, condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, reasonAvailable, what+" has successfully progressed.", now))
		case progressing(&d.Status, status):
			c := condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, "ReplicaSetUpdated", what+" is progressing.", now)
			if current != nil && current.Status == corev1.ConditionTrue {
				c.LastTransitionTime = current.LastTransitionTime
			}
			// the same reason again must still move the time of the last update
			removeCondition(status, appsv1.DeploymentProgressing)
			setCondition(status, c)
		case timedOut(d, status, now.Time):
			setCondition(status, condition(appsv1.DeploymentProgressing, corev1.ConditionFalse, reasonTimedOut, what+" has timed out progressing.", now))
		}
	}
	if failure := replicaFailure(newSet, all); failure != nil {
		setCondition(status, *failure)
	} else {
		removeCondition(status, appsv1.DeploymentReplicaFailure)
	}
}

// complete holds once every desired replica is updated and available and no old pod is left.
func complete(d *appsv1.Deployment, status *appsv1.DeploymentStatus) bool {
	n := *d.Spec.Replicas
	return status.UpdatedReplicas == n && status.Replicas == n && status.AvailableReplicas == n && status.ObservedGeneration >= d.Generation
}

func progressing(old, status *appsv1.DeploymentStatus) bool {
	return status.UpdatedReplicas > old.UpdatedReplicas ||
		status.Replicas-status.UpdatedReplicas < old.Replicas-old.UpdatedReplicas ||
		status.ReadyReplicas > old.ReadyReplicas ||
		status.AvailableReplicas > old.AvailableReplicas
}

func timedOut(d *appsv1.Deployment, status *appsv1.DeploymentStatus, now time.Time) bool {
	c := getCondition(status, appsv1.DeploymentProgressing)
	if !hasDeadline(d) || c == nil || c.Reason == reasonAvailable {
		return false
	}
	return c.Reason == reasonTimedOut || deadline(d, c).Before(now)
}

// nextProgressCheck is when to look again whether the deadline has passed; 0 if that is not needed.
func nextProgressCheck(d *appsv1.Deployment, status *appsv1.DeploymentStatus, now time.Time) time.Duration {
	c := getCondition(status, appsv1.DeploymentProgressing)
	if !hasDeadline(d) || c == nil || d.Spec.Paused || d.DeletionTimestamp != nil || complete(d, status) || c.Reason == reasonTimedOut || c.Reason == reasonAvailable {
		return 0
	}
	// a second more, because stored times have no fractions
	return max(0, deadline(d, c).Sub(now)) + time.Second
}

func deadline(d *appsv1.Deployment, c *appsv1.DeploymentCondition) time.Time {
	return c.LastUpdateTime.Add(time.Duration(*d.Spec.ProgressDeadlineSeconds) * time.Second)
}

// hasDeadline: the largest number means none.
func hasDeadline(d *appsv1.Deployment) bool {
	return d.Spec.ProgressDeadlineSeconds != nil && *d.Spec.ProgressDeadlineSeconds != math.MaxInt32
}

// setPausedCondition notes a pause and its end, so that paused time does not count against the deadline.
func setPausedCondition(d *appsv1.Deployment, now metav1.Time) {
	if !hasDeadline(d) {
		return
	}
	c := getCondition(&d.Status, appsv1.DeploymentProgressing)
	if c != nil && c.Reason == reasonTimedOut {
		return
	}
	known := c != nil && c.Reason == reasonPaused
	switch {
	case d.Spec.Paused && !known:
		setCondition(&d.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionUnknown, reasonPaused, "Deployment is paused", now))
	case !d.Spec.Paused && known:
		setCondition(&d.Status, condition(appsv1.DeploymentProgressing, corev1.ConditionUnknown, "DeploymentResumed", "Deployment is resumed", now))
	}
}

// replicaFailure is the failure of the new ReplicaSet, or else of any.
func replicaFailure(newSet *appsv1.ReplicaSet, all []*appsv1.ReplicaSet) *appsv1.DeploymentCondition {
	if newSet != nil {
		all = append([]*appsv1.ReplicaSet{newSet}, all...)
	}
	for _, rs := range all {
		for _, c := range rs.Status.Conditions {
			if c.Type == appsv1.ReplicaSetReplicaFailure {
				return &appsv1.DeploymentCondition{
					Type: appsv1.DeploymentConditionType(c.Type), Status: c.Status, Reason: c.Reason, Message: c.Message,
					LastTransitionTime: c.LastTransitionTime, LastUpdateTime: c.LastTransitionTime,
				}
			}
		}
	}
	return nil
}

func condition(kind appsv1.DeploymentConditionType, status corev1.ConditionStatus, reason, message string, now metav1.Time) appsv1.DeploymentCondition {
	return appsv1.DeploymentCondition{Type: kind, Status: status, LastUpdateTime: now, LastTransitionTime: now, Reason: reason, Message: message}
}

func getCondition(status *appsv1.DeploymentStatus, kind appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range status.Conditions {
		if status.Conditions[i].Type == kind {
			return &status.Conditions[i]
		}
	}
	return nil
}

// setCondition leaves a condition of the same status and reason alone; a changed one moves to the end, as upstream's does.
func setCondition(status *appsv1.DeploymentStatus, c appsv1.DeploymentCondition) {
	if old := getCondition(status, c.Type); old != nil && old.Status == c.Status {
		if old.Reason == c.Reason {
			return
		}
		c.LastTransitionTime = old.LastTransitionTime
	}
	removeCondition(status, c.Type)
	status.Conditions = append(status.Conditions, c)
}

func removeCondition(status *appsv1.DeploymentStatus, kind appsv1.DeploymentConditionType) {
	var rest []appsv1.DeploymentCondition
	for _, c := range status.Conditions {
		if c.Type != kind {
			rest = append(rest, c)
		}
	}
	status.Conditions = rest
}
