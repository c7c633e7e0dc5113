package scheduler

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
)

// podInfo is a pod with what the plugins ask of it, worked out once.
type podInfo struct {
	pod      *corev1.Pod
	requests resources
	nonZero  resources
	ports    []hostPort

	// Set as long as the pod counts on a node. The pod's being deleted is noted here because pod may be replaced meanwhile.
	cohort  *cohort
	leaving bool

	affinity, antiAffinity                   []term // required
	preferredAffinity, preferredAntiAffinity []weightedTerm
}

// What containers that ask for nothing count as when nodes are scored.
var defaultRequests = corev1.ResourceList{
	corev1.ResourceCPU:    resource.MustParse("100m"),
	corev1.ResourceMemory: resource.MustParse("200Mi"),
}

func newPodInfo(pod *corev1.Pod) *podInfo {
	p := &podInfo{pod: pod, ports: hostPorts(pod)}
	p.requests = resourcesOf(resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{UseStatusResources: true}))
	p.nonZero = resourcesOf(resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{
		UseStatusResources: true, NonMissingContainerRequests: defaultRequests,
	}))
	p.parseTerms()
	return p
}

func (p *podInfo) hasTerms() bool {
	return len(p.affinity)+len(p.antiAffinity)+len(p.preferredAffinity)+len(p.preferredAntiAffinity) > 0
}

// resources are amounts in base units: millicores, bytes, pieces.
type resources struct {
	cpu, memory, storage int64
	pods                 int64
	others               map[corev1.ResourceName]int64
}

func resourcesOf(list corev1.ResourceList) resources {
	var r resources
	for name, quantity := range list {
		switch name {
		case corev1.ResourceCPU:
			r.cpu = quantity.MilliValue()
		case corev1.ResourceMemory:
			r.memory = quantity.Value()
		case corev1.ResourceEphemeralStorage:
			r.storage = quantity.Value()
		case corev1.ResourcePods:
			r.pods = quantity.Value()
		default:
			if r.others == nil {
				r.others = map[corev1.ResourceName]int64{}
			}
			r.others[name] = quantity.Value()
		}
	}
	return r
}

func (r *resources) add(o resources, sign int64) {
	r.cpu += sign * o.cpu
	r.memory += sign * o.memory
	r.storage += sign * o.storage
	if len(o.others) == 0 {
		return
	}
	if r.others == nil {
		r.others = map[corev1.ResourceName]int64{}
	}
	for name := range maps.Keys(o.others) {
		r.others[name] += sign * o.others[name]
	}
}
