package scheduler

import (
	corev1 "k8s.io/api/core/v1"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"
)

// taintToleration turns nodes away whose taints the pod does not tolerate, and prefers those with few soft ones.
var taintToleration = plugin{
	name:   "TaintToleration",
	weight: 3,
	wakes:  nodeAdded | nodeTaints,
	filter: func(c *cycle) func(*node) *rejection {
		tolerations := c.pod.pod.Spec.Tolerations
		return func(n *node) *rejection {
			if _, found := corev1helpers.FindMatchingUntoleratedTaint(klog.Background(), n.object.Spec.Taints, tolerations, keepsOut, true); found {
				return unresolvable("node(s) had untolerated taint(s)")
			}
			return nil
		}
	},
	score: func(c *cycle, _ []*node) scorer {
		var soft []corev1.Toleration
		for _, t := range c.pod.pod.Spec.Tolerations {
			if t.Effect == "" || t.Effect == corev1.TaintEffectPreferNoSchedule {
				soft = append(soft, t)
			}
		}
		return scorer{
			rate: func(n *node) (count int64) {
				for i := range n.object.Spec.Taints {
					taint := &n.object.Spec.Taints[i]
					if taint.Effect == corev1.TaintEffectPreferNoSchedule && !corev1helpers.TolerationsTolerateTaint(klog.Background(), soft, taint, true) {
						count++
					}
				}
				return count
			},
			normalize: reversed,
		}
	},
}

func keepsOut(t *corev1.Taint) bool {
	return t.Effect == corev1.TaintEffectNoSchedule || t.Effect == corev1.TaintEffectNoExecute
}
