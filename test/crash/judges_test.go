package main

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestContainers(t *testing.T) {
	shim := process{pid: 10, parent: 1, program: "skiff-shim"}
	first, second := process{pid: 11, parent: 10, container: "a"}, process{pid: 12, parent: 11, container: "a"}
	got, err := containers([]process{second, shim, first})
	if err != nil || len(got) != 1 || got["a"].pid != 11 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := containers([]process{shim, first, second, {pid: 13, parent: 10, container: "a"}}); err == nil {
		t.Error("two first processes of one container were not found")
	}
}

func TestDecide(t *testing.T) {
	here, gone := key{"ConfigMap", "here"}, key{"ConfigMap", "gone"}
	l := ledger{here: {values: map[string]bool{"": true, "1": true}}, gone: {values: map[string]bool{"": true, "2": true}}}
	l.decide(map[key]object{here: &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{UID: "u", Annotations: map[string]string{written: "1"}}}})
	if s := l[here]; len(s.values) != 1 || !s.values["1"] || s.uid != "u" {
		t.Errorf("what is there: %+v", s)
	}
	if s := l[gone]; len(s.values) != 1 || !s.values[""] {
		t.Errorf("what is not: %+v", s)
	}
}

func TestMourned(t *testing.T) {
	died := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: shimDied, Message: "killed", ContainerID: "skiff://b"}}
	runs := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	for name, c := range map[string]struct {
		status corev1.ContainerStatus
		policy corev1.RestartPolicy
		fine   bool
	}{
		"restarted":                {corev1.ContainerStatus{State: runs, LastTerminationState: died, RestartCount: 1}, corev1.RestartPolicyAlways, true},
		"failed for good":          {corev1.ContainerStatus{State: died}, corev1.RestartPolicyNever, true},
		"said to run still":        {corev1.ContainerStatus{State: runs}, corev1.RestartPolicyAlways, false},
		"restarted without a word": {corev1.ContainerStatus{State: runs, RestartCount: 1}, corev1.RestartPolicyAlways, false},
		"not counted":              {corev1.ContainerStatus{State: runs, LastTerminationState: died}, corev1.RestartPolicyAlways, false},
	} {
		pod := &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: c.policy}, Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{c.status}}}
		if err := mourned([]string{"a", "b"}, pod); (err == nil) != c.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}
