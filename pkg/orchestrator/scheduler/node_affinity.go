package scheduler

import (
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// nodeAffinity heeds nodeSelector and node affinity, required and preferred.
var nodeAffinity = plugin{
	name:   "NodeAffinity",
	weight: 2,
	wakes:  nodeAdded | nodeLabels,
	filter: func(c *cycle) func(*node) *rejection {
		spec := &c.pod.pod.Spec
		if len(spec.NodeSelector) == 0 && (spec.Affinity == nil || spec.Affinity.NodeAffinity == nil) {
			return nil
		}
		required := nodeaffinity.GetRequiredNodeAffinity(c.pod.pod)
		return func(n *node) *rejection {
			if ok, err := required.Match(n.object); err != nil || !ok {
				return unresolvable("node(s) didn't match Pod's node affinity/selector")
			}
			return nil
		}
	},
	score: func(c *cycle, _ []*node) scorer {
		affinity := c.pod.pod.Spec.Affinity
		if affinity == nil || affinity.NodeAffinity == nil || len(affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution) == 0 {
			return scorer{}
		}
		preferred, err := nodeaffinity.NewPreferredSchedulingTerms(affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution)
		if err != nil {
			return scorer{}
		}
		return scorer{rate: func(n *node) int64 { return preferred.Score(n.object) }, normalize: proportional}
	},
}
