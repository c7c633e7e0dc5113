package main

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// shimDied is the reason of containers that were killed with their shim.
const shimDied = "ShimDied"

// settled says what a pod still waits for, or reports wrongly.
func settled(pod *corev1.Pod, h *hits) error {
	if pod.DeletionTimestamp != nil {
		return fmt.Errorf("pod %s is still being deleted", pod.Name)
	}
	if len(pod.Status.ContainerStatuses) != 1 {
		return fmt.Errorf("pod %s has not started", pod.Name)
	}
	c := pod.Status.ContainerStatuses[0]
	switch {
	case isMortalName(pod.Name):
		return nil
	case pod.Spec.RestartPolicy == corev1.RestartPolicyNever:
		end := c.State.Terminated
		if end == nil {
			return fmt.Errorf("pod %s has not ended: %+v", pod.Name, c.State)
		}
		if end.ExitCode != codeOf(pod.Name) && end.Reason != shimDied {
			return fmt.Errorf("pod %s ended with %d, and reports %+v", pod.Name, codeOf(pod.Name), end)
		}
		if pod.Status.Phase != corev1.PodFailed {
			return fmt.Errorf("pod %s has ended, and is %s", pod.Name, pod.Status.Phase)
		}
	case c.State.Running != nil && !c.Ready:
		return fmt.Errorf("pod %s runs, and is not ready", pod.Name)
	case c.State.Running == nil && (c.State.Waiting == nil || c.State.Waiting.Reason != "CrashLoopBackOff"):
		return fmt.Errorf("pod %s does not run: %+v", pod.Name, c.State)
	}
	return nil
}

// compareDeployments finds each deployment with its pods, and no pods of any other.
func compareDeployments(p *picture) error {
	names := map[string]bool{}
	for i := range p.deployments {
		names[p.deployments[i].Name] = true
		if err := complete(&p.deployments[i], p.pods); err != nil {
			return err
		}
	}
	for i := range p.pods {
		if pod := &p.pods[i]; metav1.GetControllerOf(pod) != nil && !names[pod.Labels["app"]] {
			return fmt.Errorf("left behind: pod %s of deployment %s, which is gone", pod.Name, pod.Labels["app"])
		}
	}
	return nil
}

// complete says what a deployment still lacks.
func complete(d *appsv1.Deployment, pods []corev1.Pod) error {
	var all, ready int32
	for i := range pods {
		if pods[i].Labels["app"] != d.Name || metav1.GetControllerOf(&pods[i]) == nil {
			continue
		}
		all++
		if len(pods[i].Status.ContainerStatuses) == 1 && pods[i].Status.ContainerStatuses[0].Ready {
			ready++
		}
	}
	if d.Status.ObservedGeneration != d.Generation || all != *d.Spec.Replicas || d.Status.AvailableReplicas != ready {
		return fmt.Errorf("deployment %s: %d pods of %d, %d ready, %d said to be available", d.Name, all, *d.Spec.Replicas, ready, d.Status.AvailableReplicas)
	}
	return nil
}

// mourned says what is wrong with the report on a pod some of whose containers lost their shim, one after the other: the last
// of them has failed, with a reason, and a pod that restarts its containers has begun to.
func mourned(ids []string, pod *corev1.Pod) error {
	if pod == nil || len(pod.Status.ContainerStatuses) != 1 {
		return nil // deleted since
	}
	id := ids[len(ids)-1]
	c := pod.Status.ContainerStatuses[0]
	end := c.State.Terminated
	if end == nil {
		end = c.LastTerminationState.Terminated
	}
	switch {
	case end == nil || !strings.HasSuffix(end.ContainerID, id):
		return fmt.Errorf("pod %s: the shim of container %s was killed, and it reports %+v after %+v", pod.Name, id, c.State, c.LastTerminationState)
	case end.Reason == "" || end.Reason == shimDied && end.Message == "":
		return fmt.Errorf("pod %s: container %s has failed without a reason: %+v", pod.Name, id, end)
	case pod.Spec.RestartPolicy != corev1.RestartPolicyNever && c.RestartCount == 0:
		return fmt.Errorf("pod %s: container %s has failed, and was not restarted: %+v", pod.Name, id, c.State)
	}
	return nil
}
