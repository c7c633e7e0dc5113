package scheduler

import (
	corev1 "k8s.io/api/core/v1"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"
)

// nodeUnschedulable turns cordoned nodes away, unless the pod tolerates that.
var nodeUnschedulable = plugin{
	name:  "NodeUnschedulable",
	wakes: nodeAdded | nodeTaints,
	filter: func(c *cycle) func(*node) *rejection {
		cordon := corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}
		tolerated := corev1helpers.TolerationsTolerateTaint(klog.Background(), c.pod.pod.Spec.Tolerations, &cordon, true)
		return func(n *node) *rejection {
			if n.object.Spec.Unschedulable && !tolerated {
				return unresolvable("node(s) were unschedulable")
			}
			return nil
		}
	},
}
