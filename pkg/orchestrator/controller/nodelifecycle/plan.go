package nodelifecycle

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// kubeletConditions are those that only a living kubelet can vouch for.
var kubeletConditions = []corev1.NodeConditionType{
	corev1.NodeReady, corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure,
}

func condition(node *corev1.Node, kind corev1.NodeConditionType) *corev1.NodeCondition {
	for i := range node.Status.Conditions {
		if node.Status.Conditions[i].Type == kind {
			return &node.Status.Conditions[i]
		}
	}
	return nil
}

// setUnknown is what becomes of a silent node's conditions.
func setUnknown(node *corev1.Node, now time.Time) {
	for _, kind := range kubeletConditions {
		c := condition(node, kind)
		switch {
		case c == nil:
			node.Status.Conditions = append(node.Status.Conditions, corev1.NodeCondition{
				Type: kind, Status: corev1.ConditionUnknown, Reason: "NodeStatusNeverUpdated", Message: "Kubelet never posted node status.",
				LastHeartbeatTime: node.CreationTimestamp, LastTransitionTime: metav1.NewTime(now),
			})
		case c.Status != corev1.ConditionUnknown:
			c.Status, c.Reason, c.Message = corev1.ConditionUnknown, "NodeStatusUnknown", "Kubelet stopped posting node status."
			c.LastTransitionTime = metav1.NewTime(now)
		}
	}
}

// conditionTaints are the taints that conditions call for.
var conditionTaints = []struct {
	kind   corev1.NodeConditionType
	status corev1.ConditionStatus
	key    string
}{
	{corev1.NodeReady, corev1.ConditionFalse, corev1.TaintNodeNotReady},
	{corev1.NodeReady, corev1.ConditionUnknown, corev1.TaintNodeUnreachable},
	{corev1.NodeMemoryPressure, corev1.ConditionTrue, corev1.TaintNodeMemoryPressure},
	{corev1.NodeDiskPressure, corev1.ConditionTrue, corev1.TaintNodeDiskPressure},
	{corev1.NodeNetworkUnavailable, corev1.ConditionTrue, corev1.TaintNodeNetworkUnavailable},
	{corev1.NodePIDPressure, corev1.ConditionTrue, corev1.TaintNodePIDPressure},
}

// wantedTaints gives a node's taints as they should be: others' stay, ours follow the conditions. evict is false while no node
// of the cluster is alive: then the trouble is more likely ours, and nobody is driven out.
func wantedTaints(node *corev1.Node, evict bool, now metav1.Time) []corev1.Taint {
	var taints []corev1.Taint
	for _, t := range node.Spec.Taints {
		if !ours(t) {
			taints = append(taints, t)
		}
	}
	add := func(key string, effect corev1.TaintEffect) {
		i := slices.IndexFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == key && t.Effect == effect })
		if i >= 0 {
			taints = append(taints, node.Spec.Taints[i])
			return
		}
		added := now
		taints = append(taints, corev1.Taint{Key: key, Effect: effect, TimeAdded: &added})
	}
	for _, t := range conditionTaints {
		c := condition(node, t.kind)
		if c == nil || c.Status != t.status {
			continue
		}
		add(t.key, corev1.TaintEffectNoSchedule)
		if t.kind == corev1.NodeReady && evict {
			add(t.key, corev1.TaintEffectNoExecute)
		}
	}
	if node.Spec.Unschedulable {
		add(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule)
	}
	if sameTaints(taints, node.Spec.Taints) {
		return node.Spec.Taints
	}
	return taints
}

func ours(t corev1.Taint) bool {
	if t.Effect == corev1.TaintEffectNoExecute {
		return t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable
	}
	if t.Effect != corev1.TaintEffectNoSchedule {
		return false
	}
	for _, c := range conditionTaints {
		if t.Key == c.key {
			return true
		}
	}
	return t.Key == corev1.TaintNodeUnschedulable
}

// sameTaints ignores the order.
func sameTaints(a, b []corev1.Taint) bool {
	if len(a) != len(b) {
		return false
	}
	for _, t := range a {
		if !slices.ContainsFunc(b, func(o corev1.Taint) bool { return o.MatchTaint(&t) && o.Value == t.Value }) {
			return false
		}
	}
	return true
}

// allSilent says whether no node is ready.
func allSilent(nodes []*corev1.Node) bool {
	return !slices.ContainsFunc(nodes, func(n *corev1.Node) bool {
		c := condition(n, corev1.NodeReady)
		return c != nil && c.Status == corev1.ConditionTrue
	})
}
