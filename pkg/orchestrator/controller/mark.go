package controller

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// MarkPod sets conditions, and a phase unless it is empty, in a pod's status. Another pod of the same name is left alone.
func MarkPod(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, phase corev1.PodPhase, conditions ...corev1.PodCondition) error {
	status := map[string]any{}
	if phase != "" {
		status["phase"] = phase
	}
	if len(conditions) > 0 {
		status["conditions"] = conditions // merged by type
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return fmt.Errorf("mark pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	_, err = client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, PatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// Condition is a pod condition as of now; an unchanged status keeps its transition time.
func Condition(pod *corev1.Pod, kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) corev1.PodCondition {
	c := corev1.PodCondition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: pod.Generation, LastTransitionTime: metav1.Now(),
	}
	if old := PodCondition(pod, kind); old != nil && old.Status == status {
		c.LastTransitionTime = old.LastTransitionTime
	}
	return c
}
