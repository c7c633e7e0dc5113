package replicaset

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

var now = time.Unix(1_000_000, 0)

// podOf is a running pod that has been ready as long as it has existed; readyFor below zero means not ready.
func podOf(name, node string, readyFor time.Duration, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))},
		Spec:       corev1.PodSpec{NodeName: node},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	if readyFor >= 0 {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now.Add(-readyFor))}}
	}
	for _, f := range change {
		f(p)
	}
	return p
}

func TestToDelete(t *testing.T) {
	steady := podOf("steady", "n1", time.Hour)
	pending := func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending }
	for _, test := range []struct {
		name string
		pods []*corev1.Pod
		want string
	}{
		{"unassigned", []*corev1.Pod{steady, podOf("first", "", -1, pending), podOf("other", "n2", -1, pending)}, "first"},
		{"pending", []*corev1.Pod{steady, podOf("first", "n2", -1, pending), podOf("other", "n3", -1)}, "first"},
		{"not ready", []*corev1.Pod{steady, podOf("first", "n2", -1)}, "first"},
		{"cheap", []*corev1.Pod{steady, podOf("first", "n2", time.Hour, func(p *corev1.Pod) {
			p.Annotations = map[string]string{corev1.PodDeletionCost: "-5"}
		})}, "first"},
		{"ready for a short time", []*corev1.Pod{steady, podOf("first", "n2", time.Minute)}, "first"},
		{"restarted", []*corev1.Pod{steady, podOf("first", "n2", time.Hour, func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{RestartCount: 3}}
		})}, "first"},
		{"young", []*corev1.Pod{podOf("old", "n1", -1), podOf("first", "n2", -1, func(p *corev1.Pod) {
			p.CreationTimestamp = metav1.NewTime(now.Add(-time.Minute))
		})}, "first"},
		{"of about the same age, by UID", []*corev1.Pod{podOf("b", "n1", 60*time.Minute), podOf("a", "n2", 59*time.Minute)}, "a"},
	} {
		if got := toDelete(test.pods, test.pods, 1, now); len(got) != 1 || got[0].Name != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got[0].Name, test.want)
		}
	}
	crowd := []*corev1.Pod{podOf("alone", "n1", time.Hour), podOf("x", "n2", time.Hour)}
	if got := toDelete(crowd, append(crowd, podOf("y", "n2", time.Hour)), 1, now); got[0].Name != "x" {
		t.Errorf("crowded: got %s, want x", got[0].Name)
	}
}

func TestSlowStart(t *testing.T) {
	var calls atomic.Int32
	done, err := slowStart(100, func() error { calls.Add(1); return nil })
	if done != 100 || err != nil || calls.Load() != 100 {
		t.Errorf("%d done in %d calls, %v", done, calls.Load(), err)
	}
	calls.Store(0)
	refused := errors.New("quota")
	done, err = slowStart(100, func() error { calls.Add(1); return refused })
	if done != 0 || err != refused || calls.Load() != 1 {
		t.Errorf("a refusal at once: %d done in %d calls, %v", done, calls.Load(), err)
	}
	calls.Store(0)
	done, _ = slowStart(100, func() error {
		if calls.Add(1) > 5 {
			return refused
		}
		return nil
	})
	if done != 5 || calls.Load() != 7 { // 1 + 2 + 4
		t.Errorf("a refusal in the third batch: %d done in %d calls", done, calls.Load())
	}
}

func TestCalculateStatus(t *testing.T) {
	rs := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Generation: 4},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: new(int32(4)), MinReadySeconds: 30,
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}}},
		},
	}
	labelled := func(p *corev1.Pod) { p.Labels = map[string]string{"app": "web"} }
	active := []*corev1.Pod{podOf("long", "n", time.Minute, labelled), podOf("short", "n", 10*time.Second), podOf("not", "n", -1)}
	got := calculateStatus(rs, active, []*corev1.Pod{podOf("leaving", "n", -1)}, errors.New("no room"), now)
	if got.Replicas != 3 || got.ReadyReplicas != 2 || got.AvailableReplicas != 1 || got.FullyLabeledReplicas != 1 || *got.TerminatingReplicas != 1 || got.ObservedGeneration != 4 {
		t.Errorf("counts: %+v", got)
	}
	if len(got.Conditions) != 1 || got.Conditions[0].Reason != "FailedCreate" || got.Conditions[0].Message != "no room" {
		t.Errorf("conditions: %+v", got.Conditions)
	}
	rs.Status = got
	if got := calculateStatus(rs, active, nil, nil, now); len(got.Conditions) != 0 {
		t.Errorf("the failure stayed: %+v", got.Conditions)
	}
	if got := nextAvailable(active, 30, now); got != 20*time.Second {
		t.Errorf("next available in %s, want 20s", got)
	}
}
