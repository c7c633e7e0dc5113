package core

import (
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
)

// PodQOS gives the quality-of-service class that a pod's requests and limits amount to.
func PodQOS(p *corev1.Pod) corev1.PodQOSClass {
	if r := p.Spec.Resources; r != nil && (len(r.Requests) > 0 || len(r.Limits) > 0) {
		return qosOf(r)
	}
	var class corev1.PodQOSClass
	for _, list := range [][]corev1.Container{p.Spec.InitContainers, p.Spec.Containers} {
		for i := range list {
			one := qosOf(&list[i].Resources)
			if one == corev1.PodQOSBurstable || class != "" && class != one {
				return corev1.PodQOSBurstable
			}
			class = one
		}
	}
	if class == "" {
		return corev1.PodQOSBestEffort
	}
	return class
}

// qosOf classes one set of requirements by cpu and memory: both limited and requested alike is Guaranteed, neither is
// BestEffort, all else Burstable.
func qosOf(r *corev1.ResourceRequirements) corev1.PodQOSClass {
	set := 0
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		request, limit := r.Requests[name], r.Limits[name]
		switch {
		case !request.Equal(limit):
			return corev1.PodQOSBurstable
		case !request.IsZero():
			set++
		}
	}
	switch set {
	case 0:
		return corev1.PodQOSBestEffort
	case 1:
		return corev1.PodQOSBurstable
	}
	return corev1.PodQOSGuaranteed
}

// defaultPodResources completes pod-level resources that are given in part: requests from the containers' sum, else from
// the limits; limits of huge pages from the containers' sum.
func defaultPodResources(p *corev1.Pod) {
	r := p.Spec.Resources
	if r == nil || len(r.Requests) == 0 && len(r.Limits) == 0 {
		return
	}
	bare := &corev1.Pod{Spec: corev1.PodSpec{Containers: p.Spec.Containers, InitContainers: p.Spec.InitContainers}}
	limits, requests := maps.Clone(r.Limits), maps.Clone(r.Requests)
	for name, q := range resourcehelper.AggregateContainerLimits(bare, resourcehelper.PodResourcesOptions{}) {
		if _, asked := requests[name]; isHugePages(name) && !asked {
			setMissing(&limits, name, q)
		}
	}
	for name, q := range resourcehelper.AggregateContainerRequests(bare, resourcehelper.PodResourcesOptions{}) {
		if resourcehelper.IsSupportedPodLevelResource(name) && !isHugePages(name) {
			setMissing(&requests, name, q)
		}
	}
	for name, q := range limits {
		if resourcehelper.IsSupportedPodLevelResource(name) {
			setMissing(&requests, name, q)
		}
	}
	r.Limits, r.Requests = limits, requests
	defaultPodLimits(p, bare)
}

// defaultPodLimits limits the pod where every container is limited: to their sum, or to what the pod requests if that is more.
func defaultPodLimits(p, bare *corev1.Pod) {
	r := p.Spec.Resources
	sums := resourcehelper.AggregateContainerLimits(bare, resourcehelper.PodResourcesOptions{})
	for name, request := range r.Requests {
		sum, limited := sums[name]
		eachContainer(&p.Spec, func(c *corev1.Container) {
			_, ok := c.Resources.Limits[name]
			limited = limited && ok
		})
		if !limited || !resourcehelper.IsSupportedPodLevelResource(name) {
			continue
		}
		if request.Cmp(sum) > 0 {
			sum = request
		}
		setMissing(&r.Limits, name, sum)
	}
}

func setMissing(list *corev1.ResourceList, name corev1.ResourceName, q resource.Quantity) {
	if _, ok := (*list)[name]; ok {
		return
	}
	if *list == nil {
		*list = corev1.ResourceList{}
	}
	(*list)[name] = q.DeepCopy()
}

func isHugePages(name corev1.ResourceName) bool {
	return strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
}
