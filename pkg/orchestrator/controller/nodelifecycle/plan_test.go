package nodelifecycle

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func nodeWith(ready corev1.ConditionStatus, taints ...corev1.Taint) *corev1.Node {
	return &corev1.Node{
		Spec:   corev1.NodeSpec{Taints: taints},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}},
	}
}

func TestWantedTaints(t *testing.T) {
	now := metav1.NewTime(time.Unix(100, 0))
	custom := corev1.Taint{Key: "dedicated", Value: "gpu", Effect: corev1.TaintEffectNoSchedule}
	unreachable := corev1.Taint{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute, TimeAdded: new(metav1.NewTime(time.Unix(50, 0)))}
	for _, test := range []struct {
		name  string
		node  *corev1.Node
		evict bool
		want  []string
	}{
		{"ready", nodeWith(corev1.ConditionTrue, custom, unreachable), true, []string{"dedicated:NoSchedule"}},
		{"not ready", nodeWith(corev1.ConditionFalse, custom), true, []string{"dedicated:NoSchedule", "node.kubernetes.io/not-ready:NoSchedule", "node.kubernetes.io/not-ready:NoExecute"}},
		{"silent", nodeWith(corev1.ConditionUnknown), true, []string{"node.kubernetes.io/unreachable:NoSchedule", "node.kubernetes.io/unreachable:NoExecute"}},
		{"all are silent", nodeWith(corev1.ConditionUnknown, unreachable), false, []string{"node.kubernetes.io/unreachable:NoSchedule"}},
	} {
		var got []string
		for _, taint := range wantedTaints(test.node, test.evict, now) {
			got = append(got, taint.Key+":"+string(taint.Effect))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
	cordoned := nodeWith(corev1.ConditionTrue)
	cordoned.Spec.Unschedulable = true
	if got := wantedTaints(cordoned, true, now); len(got) != 1 || got[0].Key != corev1.TaintNodeUnschedulable {
		t.Errorf("cordoned: %v", got)
	}
	kept := wantedTaints(nodeWith(corev1.ConditionUnknown, unreachable), true, now)
	if i := slices.IndexFunc(kept, func(t corev1.Taint) bool { return t.Effect == corev1.TaintEffectNoExecute }); !kept[i].TimeAdded.Equal(unreachable.TimeAdded) {
		t.Error("the time of a taint that stays was changed")
	}
}

func TestSetUnknown(t *testing.T) {
	node := nodeWith(corev1.ConditionTrue)
	setUnknown(node, time.Unix(100, 0))
	if len(node.Status.Conditions) != 4 {
		t.Fatalf("%d conditions, want 4", len(node.Status.Conditions))
	}
	if c := node.Status.Conditions[0]; c.Status != corev1.ConditionUnknown || c.Reason != "NodeStatusUnknown" || c.Message != "Kubelet stopped posting node status." {
		t.Errorf("ready: %+v", c)
	}
	if c := node.Status.Conditions[1]; c.Reason != "NodeStatusNeverUpdated" || c.Message != "Kubelet never posted node status." {
		t.Errorf("memory pressure: %+v", c)
	}
}

func TestAllSilent(t *testing.T) {
	silent, ready := nodeWith(corev1.ConditionUnknown), nodeWith(corev1.ConditionTrue)
	if !allSilent([]*corev1.Node{silent, silent}) || allSilent([]*corev1.Node{silent, ready}) {
		t.Error("a single ready node tells that the trouble is not ours")
	}
}
