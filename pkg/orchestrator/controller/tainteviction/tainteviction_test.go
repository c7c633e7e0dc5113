package tainteviction

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestDueAt(t *testing.T) {
	set := time.Unix(1000, 0)
	now := set.Add(10 * time.Second)
	taint := func(key string) corev1.Taint {
		return corev1.Taint{Key: key, Effect: corev1.TaintEffectNoExecute, TimeAdded: new(metav1.NewTime(set))}
	}
	tolerates := func(key string, seconds ...int64) corev1.Toleration {
		t := corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute}
		if len(seconds) > 0 {
			t.TolerationSeconds = &seconds[0]
		}
		return t
	}
	for _, test := range []struct {
		name        string
		taints      []corev1.Taint
		tolerations []corev1.Toleration
		want        time.Time
		ever        bool
	}{
		{"not tolerated", []corev1.Taint{taint("a")}, nil, now, true},
		{"for good", []corev1.Taint{taint("a")}, []corev1.Toleration{tolerates("a")}, time.Time{}, false},
		{"for 300 s since it was set", []corev1.Taint{taint("a")}, []corev1.Toleration{tolerates("a", 300)}, set.Add(300 * time.Second), true},
		{"for no time", []corev1.Taint{taint("a")}, []corev1.Toleration{tolerates("a", -1)}, set, true},
		{"the shorter decides", []corev1.Taint{taint("a"), taint("b")}, []corev1.Toleration{tolerates("a", 300), tolerates("b", 30)}, set.Add(30 * time.Second), true},
		{"one is not tolerated", []corev1.Taint{taint("a"), taint("b")}, []corev1.Toleration{tolerates("a", 300)}, now, true},
	} {
		got, ever := dueAt(&corev1.Pod{Spec: corev1.PodSpec{Tolerations: test.tolerations}}, test.taints, now)
		if ever != test.ever || !got.Equal(test.want) {
			t.Errorf("%s: got %v %v, want %v %v", test.name, got, ever, test.want, test.ever)
		}
	}
}
