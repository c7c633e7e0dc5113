package core

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func terminated(code, signal int32, reason string) corev1.ContainerState {
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Signal: signal, Reason: reason}}
}

func waiting(reason string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
}

var running = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}

func TestSummarizePod(t *testing.T) {
	sidecar := corev1.Container{Name: "s", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways)}
	condition := func(typ corev1.PodConditionType, status corev1.ConditionStatus) []corev1.PodCondition {
		return []corev1.PodCondition{{Type: typ, Status: status}}
	}
	tests := map[string]struct {
		init       []corev1.Container
		containers int
		status     corev1.PodStatus
		deleted    bool
		want       PodSummary
	}{
		"new":        {containers: 1, status: corev1.PodStatus{Phase: corev1.PodPending}, want: PodSummary{Status: "Pending", Total: 1}},
		"reason":     {containers: 1, status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted"}, want: PodSummary{Status: "Evicted", Total: 1}},
		"gated":      {containers: 1, status: corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Reason: "SchedulingGated"}}}, want: PodSummary{Status: "SchedulingGated", Total: 1}},
		"creating":   {containers: 1, status: corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{State: waiting("ContainerCreating")}}}, want: PodSummary{Status: "ContainerCreating", Total: 1}},
		"running":    {containers: 2, status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Ready: true, State: running}, {State: running}}}, want: PodSummary{Status: "Running", Ready: 1, Total: 2}},
		"completed":  {containers: 1, status: corev1.PodStatus{Phase: corev1.PodSucceeded, ContainerStatuses: []corev1.ContainerStatus{{State: terminated(0, 0, "Completed")}}}, want: PodSummary{Status: "Completed", Total: 1}},
		"one ended":  {containers: 2, status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{State: terminated(0, 0, "Completed")}, {Ready: true, State: running}}}, want: PodSummary{Status: "NotReady", Ready: 1, Total: 2}},
		"one failed": {containers: 2, status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{State: terminated(0, 0, "Completed")}, {State: terminated(1, 0, "Error")}}}, want: PodSummary{Status: "Error", Total: 2}},
		"ready though one ended": {containers: 2, status: corev1.PodStatus{Phase: corev1.PodRunning, Conditions: condition(corev1.PodReady, corev1.ConditionTrue),
			ContainerStatuses: []corev1.ContainerStatus{{State: terminated(0, 0, "Completed")}, {Ready: true, State: running}}}, want: PodSummary{Status: "Running", Ready: 1, Total: 2}},
		"exit code":            {containers: 1, status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{State: terminated(3, 0, "")}}}, want: PodSummary{Status: "ExitCode:3", Total: 1}},
		"signal":               {containers: 1, status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{State: terminated(137, 9, "")}}}, want: PodSummary{Status: "Signal:9", Total: 1}},
		"terminating":          {containers: 1, deleted: true, status: corev1.PodStatus{Phase: corev1.PodRunning}, want: PodSummary{Status: "Terminating", Total: 1}},
		"gone and terminating": {containers: 1, deleted: true, status: corev1.PodStatus{Phase: corev1.PodSucceeded}, want: PodSummary{Status: "Succeeded", Total: 1}},
		"lost":                 {containers: 1, deleted: true, status: corev1.PodStatus{Phase: corev1.PodRunning, Reason: "NodeLost"}, want: PodSummary{Status: "Unknown", Total: 1}},
		"init": {init: []corev1.Container{{Name: "a"}, {Name: "b"}}, containers: 1, status: corev1.PodStatus{Phase: corev1.PodPending,
			InitContainerStatuses: []corev1.ContainerStatus{{Name: "a", State: terminated(0, 0, "Completed")}, {Name: "b", State: running}}}, want: PodSummary{Status: "Init:1/2", Total: 1}},
		"init failed": {init: []corev1.Container{{Name: "a"}}, containers: 1, status: corev1.PodStatus{
			InitContainerStatuses: []corev1.ContainerStatus{{Name: "a", State: terminated(2, 0, ""), RestartCount: 4}}}, want: PodSummary{Status: "Init:ExitCode:2", Total: 1, Restarts: 4}},
		"init crash loop": {init: []corev1.Container{{Name: "a"}}, containers: 1, status: corev1.PodStatus{
			InitContainerStatuses: []corev1.ContainerStatus{{Name: "a", State: waiting("CrashLoopBackOff")}}}, want: PodSummary{Status: "Init:CrashLoopBackOff", Total: 1}},
		"sidecar": {init: []corev1.Container{sidecar}, containers: 1, status: corev1.PodStatus{Phase: corev1.PodRunning,
			InitContainerStatuses: []corev1.ContainerStatus{{Name: "s", Started: ptr.To(true), Ready: true, State: running, RestartCount: 2}},
			ContainerStatuses:     []corev1.ContainerStatus{{Ready: true, State: running, RestartCount: 1}}}, want: PodSummary{Status: "Running", Ready: 2, Total: 2, Restarts: 3}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := &corev1.Pod{Status: tt.status}
			p.Spec.InitContainers, p.Spec.Containers = tt.init, make([]corev1.Container, tt.containers)
			if tt.deleted {
				p.DeletionTimestamp = ptr.To(metav1.Now())
			}
			if got := SummarizePod(p); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
