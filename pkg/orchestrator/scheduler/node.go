package scheduler

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// node is what the scheduler knows of a node: the object, and the sum of the pods bound or assumed to it. object is nil for a
// node that pods name but that is not known.
type node struct {
	object      *corev1.Node
	allocatable resources
	requested   resources
	nonZero     resources // with defaults for containers that ask for nothing
	pods        []*podInfo
	staying     map[*cohort]int // pods that are not being deleted
	withTerms   int             // pods with affinity or anti-affinity
	ports       map[hostPort]int
	images      map[string]int64
}

// lowerThan says whether a pod of lower priority is on the node.
func (n *node) lowerThan(p int32) bool {
	for _, other := range n.pods {
		if priority(other.pod) < p {
			return true
		}
	}
	return false
}

func (n *node) setObject(object *corev1.Node) {
	n.object = object
	n.allocatable = resourcesOf(object.Status.Allocatable)
	n.images = map[string]int64{}
	for _, image := range object.Status.Images {
		for _, name := range image.Names {
			n.images[name] = image.SizeBytes
		}
	}
}

func (n *node) add(p *podInfo) {
	n.pods = append(n.pods, p)
	if !p.leaving {
		n.staying[p.cohort]++
	}
	n.requested.add(p.requests, 1)
	n.nonZero.add(p.nonZero, 1)
	for _, port := range p.ports {
		n.ports[port]++
	}
	if p.hasTerms() {
		n.withTerms++
	}
}

func (n *node) remove(p *podInfo) {
	for i := range n.pods {
		if n.pods[i] != p {
			continue
		}
		last := len(n.pods) - 1
		n.pods[i], n.pods[last] = n.pods[last], nil
		n.pods = n.pods[:last]
		break
	}
	if !p.leaving {
		if n.staying[p.cohort]--; n.staying[p.cohort] == 0 {
			delete(n.staying, p.cohort)
		}
	}
	n.requested.add(p.requests, -1)
	n.nonZero.add(p.nonZero, -1)
	for _, port := range p.ports {
		if n.ports[port]--; n.ports[port] == 0 {
			delete(n.ports, port)
		}
	}
	if p.hasTerms() {
		n.withTerms--
	}
}

// nodeCache holds all nodes, kept up to date pod by pod.
type nodeCache struct {
	byName  map[string]*node
	list    []*node // the known ones
	pods    map[types.UID]*placed
	cohorts cohorts
	imageOn map[string]int // how many nodes have an image
}

// placed is a pod with the node that it counts on. assumed means that the server has not confirmed it yet.
type placed struct {
	info    *podInfo
	node    string
	assumed bool
}

func newNodeCache() *nodeCache {
	return &nodeCache{byName: map[string]*node{}, pods: map[types.UID]*placed{}, cohorts: cohorts{}, imageOn: map[string]int{}}
}

func (c *nodeCache) get(name string) *node {
	n, ok := c.byName[name]
	if !ok {
		n = &node{ports: map[hostPort]int{}, staying: map[*cohort]int{}}
		c.byName[name] = n
	}
	return n
}

func (c *nodeCache) setNode(object *corev1.Node) {
	n := c.get(object.Name)
	if n.object == nil {
		c.list = append(c.list, n)
	}
	c.countImages(n, -1)
	n.setObject(object)
	c.countImages(n, 1)
}

func (c *nodeCache) removeNode(name string) {
	n, ok := c.byName[name]
	if !ok || n.object == nil {
		return
	}
	c.countImages(n, -1)
	for i := range c.list {
		if c.list[i] == n {
			c.list = append(c.list[:i:i], c.list[i+1:]...)
			break
		}
	}
	n.object, n.images = nil, nil
	if len(n.pods) == 0 {
		delete(c.byName, name)
	}
}

func (c *nodeCache) countImages(n *node, by int) {
	for image := range n.images {
		if c.imageOn[image] += by; c.imageOn[image] == 0 {
			delete(c.imageOn, image)
		}
	}
}

// setPod counts a pod on the node that it is bound to, in place of what was known or assumed of it.
func (c *nodeCache) setPod(pod *corev1.Pod) {
	if known, ok := c.pods[pod.UID]; ok && known.node == pod.Spec.NodeName && !differs(known.info.pod, pod) {
		known.info.pod, known.assumed = pod, false
		return
	}
	c.removePod(pod.UID)
	c.put(newPodInfo(pod), pod.Spec.NodeName, false)
}

// differs says whether anything has changed that is summed up; that a spec changes, its generation says.
func differs(old, pod *corev1.Pod) bool {
	return old.Generation != pod.Generation || (old.DeletionTimestamp == nil) != (pod.DeletionTimestamp == nil) || !maps.Equal(old.Labels, pod.Labels)
}

// assume counts a pod on a node before the server knows.
func (c *nodeCache) assume(info *podInfo, host string) {
	c.removePod(info.pod.UID)
	c.put(info, host, true)
}

// forget takes back what was assumed, unless it came true.
func (c *nodeCache) forget(pod *corev1.Pod) {
	if p, ok := c.pods[pod.UID]; ok && p.assumed {
		c.removePod(pod.UID)
	}
}

func (c *nodeCache) put(info *podInfo, host string, assumed bool) {
	info.cohort, info.leaving = c.cohorts.join(info.pod), info.pod.DeletionTimestamp != nil
	c.pods[info.pod.UID] = &placed{info: info, node: host, assumed: assumed}
	c.get(host).add(info)
}

// removePod reports whether the pod was known.
func (c *nodeCache) removePod(uid types.UID) bool {
	p, ok := c.pods[uid]
	if !ok {
		return false
	}
	delete(c.pods, uid)
	n := c.get(p.node)
	n.remove(p.info)
	c.cohorts.leave(p.info.cohort)
	if n.object == nil && len(n.pods) == 0 {
		delete(c.byName, p.node)
	}
	return true
}
