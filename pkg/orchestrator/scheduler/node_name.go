package scheduler

// nodeName keeps a pod that names its node to it.
var nodeName = plugin{
	name:  "NodeName",
	wakes: nodeAdded,
	filter: func(c *cycle) func(*node) *rejection {
		want := c.pod.pod.Spec.NodeName
		if want == "" {
			return nil
		}
		return func(n *node) *rejection {
			if n.object.Name != want {
				return unresolvable("node(s) didn't match the requested node name")
			}
			return nil
		}
	},
}
