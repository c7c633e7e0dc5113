package scheduler

import (
	"context"
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
)

// maxNote is how long the text of an event may be.
const maxNote = 1024

// bind tells the server where the pod goes. A refused pod gives its place back and tries again.
func (s *Scheduler) bind(ctx context.Context, item *queued, host string) {
	pod := item.pod
	err := s.client.CoreV1().Pods(pod.Namespace).Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: host},
	}, metav1.CreateOptions{})
	if err == nil {
		s.queue.done(item)
		s.events.Eventf(pod, corev1.EventTypeNormal, "Scheduled", "Successfully assigned %v/%v to %v", pod.Namespace, pod.Name, host)
		return
	}
	s.mu.Lock()
	s.nodes.forget(pod)
	s.mu.Unlock()
	s.queue.wake(podDeleted) // what was assumed there is free again
	if ctx.Err() != nil || apierrors.IsNotFound(err) {
		s.queue.done(item)
		return
	}
	s.fail(ctx, item, corev1.PodReasonSchedulerError, "binding rejected: "+err.Error(), anyEvent)
}

// fail puts the pod back and says why, as an event and in its PodScheduled condition.
func (s *Scheduler) fail(ctx context.Context, item *queued, reason, message string, wakes event) {
	if !s.queue.requeue(item, wakes, reason == corev1.PodReasonSchedulerError) {
		return // it was deleted or bound meanwhile
	}
	pod := item.pod
	s.tasks.Go(func() {
		note := message
		if len(note) > maxNote {
			note = note[:maxNote-len(" ...")] + " ..."
		}
		s.events.Event(pod, corev1.EventTypeWarning, "FailedScheduling", note)
		if err := s.mark(ctx, pod, reason, message); err != nil && ctx.Err() == nil && !apierrors.IsNotFound(err) {
			klog.FromContext(ctx).Error(err, "update pod condition", "pod", klog.KObj(pod))
		}
	})
}

// mark writes the condition unless it stands there already.
func (s *Scheduler) mark(ctx context.Context, pod *corev1.Pod, reason, message string) error {
	now := metav1.Now()
	next := corev1.PodCondition{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: reason, Message: message,
		ObservedGeneration: pod.Generation, LastTransitionTime: now,
	}
	for _, old := range pod.Status.Conditions {
		if old.Type != corev1.PodScheduled {
			continue
		}
		if old.Status == next.Status {
			next.LastTransitionTime = old.LastTransitionTime
			if old.Reason == reason && old.Message == message && old.ObservedGeneration == next.ObservedGeneration {
				return nil
			}
		}
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": pod.UID},
		"status":   map[string]any{"conditions": []corev1.PodCondition{next}},
	})
	if err != nil {
		return err
	}
	_, err = s.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}
