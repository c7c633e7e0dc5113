package admission

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// TaintNodesByCondition taints a new node not-ready, so that no pod is placed on it before it says that it is ready.
type TaintNodesByCondition struct{}

// NewTaintNodesByCondition makes the plugin.
func NewTaintNodesByCondition() *TaintNodesByCondition { return &TaintNodesByCondition{} }

// Name is upstream's.
func (*TaintNodesByCondition) Name() string { return "TaintNodesByCondition" }

// Admit adds the taint once.
func (*TaintNodesByCondition) Admit(_ context.Context, r *Request) error {
	node, ok := r.Object.(*corev1.Node)
	if !ok || !r.is("nodes", "") || r.Verb != Create {
		return nil
	}
	taint := corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}
	for _, t := range node.Spec.Taints {
		if t.MatchTaint(&taint) {
			return nil
		}
	}
	node.Spec.Taints = append(node.Spec.Taints, taint)
	return nil
}
