package admission

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

const defaultTolerationSeconds = 300

// DefaultTolerationSeconds lets each pod stay five minutes on a node that is not ready or not reachable, unless the pod says
// otherwise.
type DefaultTolerationSeconds struct{}

// NewDefaultTolerationSeconds makes the plugin.
func NewDefaultTolerationSeconds() *DefaultTolerationSeconds { return &DefaultTolerationSeconds{} }

// Name is upstream's.
func (*DefaultTolerationSeconds) Name() string { return "DefaultTolerationSeconds" }

// Admit adds what is missing, on updates too.
func (*DefaultTolerationSeconds) Admit(_ context.Context, r *Request) error {
	pod, ok := r.Object.(*corev1.Pod)
	if !ok || !r.is("pods", "") || r.Verb != Create && r.Verb != Update {
		return nil
	}
	given := pod.Spec.Tolerations
	for _, taint := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		if !tolerates(given, taint) {
			pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{
				Key: taint, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute,
				TolerationSeconds: new(int64(defaultTolerationSeconds)),
			})
		}
	}
	return nil
}

func tolerates(tolerations []corev1.Toleration, taint string) bool {
	for _, t := range tolerations {
		if (t.Key == taint || t.Key == "") && (t.Effect == corev1.TaintEffectNoExecute || t.Effect == "") {
			return true
		}
	}
	return false
}
