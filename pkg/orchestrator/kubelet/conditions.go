package kubelet

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ours are the conditions that the agent writes; others are kept as they are.
var ours = map[corev1.PodConditionType]bool{
	corev1.PodReadyToStartContainers: true,
	corev1.PodInitialized:            true,
	corev1.PodReady:                  true,
	corev1.ContainersReady:           true,
	corev1.PodScheduled:              true,
}

// conditions makes a pod's conditions. Those whose status did not change keep their time.
func conditions(pod *corev1.Pod, v *view, all []corev1.ContainerStatus, phase corev1.PodPhase, now time.Time) []corev1.PodCondition {
	var out []corev1.PodCondition
	for _, c := range pod.Status.Conditions {
		if !ours[c.Type] {
			out = append(out, c)
		}
	}
	containers := containersReady(pod, all, phase)
	ready := containers
	ready.Type = corev1.PodReady
	if ready.Status == corev1.ConditionTrue {
		if message := closedGates(pod); message != "" {
			ready.Status, ready.Reason, ready.Message = corev1.ConditionFalse, "ReadinessGatesNotReady", message
		}
	}
	made := []corev1.PodCondition{sandboxReady(v), initialized(pod, all, phase), ready, containers,
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}}
	for _, c := range made {
		c.ObservedGeneration = pod.Generation
		c.LastTransitionTime = *apiTime(now)
		for i := range pod.Status.Conditions {
			if old := &pod.Status.Conditions[i]; old.Type == c.Type && old.Status == c.Status {
				c.LastTransitionTime, c.LastProbeTime = old.LastTransitionTime, old.LastProbeTime
			}
		}
		out = append(out, c)
	}
	return out
}

// What the condition says while there is no sandbox to start containers in.
const (
	noSandbox       = "no pod sandbox exists"
	sandboxNotReady = "pod sandbox is not ready"
)

func sandboxReady(v *view) corev1.PodCondition {
	c := corev1.PodCondition{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionFalse}
	switch {
	case v.sandbox == nil:
		c.Reason, c.Message = "PodSandboxNotReady", noSandbox
	case !v.sandbox.Ready:
		c.Reason, c.Message = "PodSandboxNotReady", sandboxNotReady
	default:
		c.Status = corev1.ConditionTrue
	}
	return c
}

// containersReady is False until all that shall stay up are ready.
func containersReady(pod *corev1.Pod, all []corev1.ContainerStatus, phase corev1.PodPhase) corev1.PodCondition {
	c := corev1.PodCondition{Type: corev1.ContainersReady, Status: corev1.ConditionFalse}
	var unready []string
	for i := range pod.Spec.InitContainers {
		if ic := &pod.Spec.InitContainers[i]; sidecar(ic) && !readyOf(all, ic.Name) {
			unready = append(unready, ic.Name)
		}
	}
	for i := range pod.Spec.Containers {
		if name := pod.Spec.Containers[i].Name; !readyOf(all, name) {
			unready = append(unready, name)
		}
	}
	switch {
	case phase == corev1.PodSucceeded:
		c.Reason = "PodCompleted"
	case phase == corev1.PodFailed:
		c.Reason = "PodFailed"
	case len(unready) > 0:
		c.Reason, c.Message = "ContainersNotReady", fmt.Sprintf("containers with unready status: %s", unready)
	default:
		c.Status = corev1.ConditionTrue
	}
	return c
}

func readyOf(all []corev1.ContainerStatus, name string) bool {
	for i := range all {
		if all[i].Name == name {
			return all[i].Ready
		}
	}
	return false
}

// closedGates says which readiness gates are not open.
func closedGates(pod *corev1.Pod) string {
	var messages []string
	for _, g := range pod.Spec.ReadinessGates {
		var found *corev1.PodCondition
		for i := range pod.Status.Conditions {
			if pod.Status.Conditions[i].Type == g.ConditionType {
				found = &pod.Status.Conditions[i]
			}
		}
		switch {
		case found == nil:
			messages = append(messages, fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", string(g.ConditionType)))
		case found.Status != corev1.ConditionTrue:
			messages = append(messages, fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but %v", string(g.ConditionType), found.Status))
		}
	}
	return strings.Join(messages, ", ")
}

// initialized is True once the init containers are done, or once a container of the pod itself has run.
func initialized(pod *corev1.Pod, all []corev1.ContainerStatus, phase corev1.PodPhase) corev1.PodCondition {
	c := corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue}
	if phase == corev1.PodSucceeded {
		c.Reason = "PodCompleted"
		return c
	}
	var incomplete []string
	for i := range pod.Spec.InitContainers {
		ic := &pod.Spec.InitContainers[i]
		for j := range all {
			if s := &all[j]; s.Name == ic.Name {
				if done := s.Ready && !sidecar(ic) || sidecar(ic) && s.Started != nil && *s.Started; !done {
					incomplete = append(incomplete, ic.Name)
				}
			}
		}
	}
	if len(incomplete) == 0 || mainStarted(pod, all) {
		return c
	}
	c.Status, c.Reason = corev1.ConditionFalse, "ContainersNotInitialized"
	c.Message = fmt.Sprintf("containers with incomplete status: %s", incomplete)
	return c
}

func mainStarted(pod *corev1.Pod, all []corev1.ContainerStatus) bool {
	for i := range pod.Spec.Containers {
		for j := range all {
			s := &all[j]
			if s.Name == pod.Spec.Containers[i].Name && (s.State.Running != nil || s.State.Terminated != nil || s.LastTerminationState.Terminated != nil) {
				return true
			}
		}
	}
	return false
}
