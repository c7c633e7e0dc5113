package kubelet

import (
	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

const (
	sharesPerCPU = 1024
	minShares    = 2
	maxShares    = 262144
	cpuPeriod    = 100_000 // µs
	minQuota     = 1000    // µs

	oomGuaranteed = -997
	oomBestEffort = 1000
)

// shares is a CPU request as the kernel's weight.
func shares(milli int64) uint64 {
	return uint64(min(max(milli*sharesPerCPU/1000, minShares), maxShares))
}

// quota is a CPU limit as time in each period; 0 is none.
func quota(milli int64) int64 {
	if milli == 0 {
		return 0
	}
	return max(milli*cpuPeriod/1000, minQuota)
}

// containerResources turns requests and limits into the kernel's terms.
func containerResources(pod *corev1.Pod, c *corev1.Container, memory int64) container.Resources {
	request, requested := c.Resources.Requests[corev1.ResourceCPU]
	if !requested {
		request = c.Resources.Limits[corev1.ResourceCPU]
	}
	r := container.Resources{
		CPUShares:   shares(request.MilliValue()),
		CPUQuota:    quota(c.Resources.Limits.Cpu().MilliValue()),
		CPUPeriod:   cpuPeriod,
		MemoryLimit: c.Resources.Limits.Memory().Value(),
		OOMScoreAdj: oomScore(pod, c, memory),
	}
	if pod.Spec.Resources != nil {
		if r.CPUQuota == 0 {
			r.CPUQuota = quota(pod.Spec.Resources.Limits.Cpu().MilliValue())
		}
		if r.MemoryLimit == 0 {
			r.MemoryLimit = pod.Spec.Resources.Limits.Memory().Value()
		}
	}
	return r
}

// oomScore says how early the kernel kills a container when memory runs out: the less it asked for, the earlier.
func oomScore(pod *corev1.Pod, c *corev1.Container, memory int64) int {
	if p := pod.Spec.Priority; p != nil && *p >= 2000001000 { // system-node-critical
		return oomGuaranteed
	}
	switch qosClass(pod) {
	case corev1.PodQOSGuaranteed:
		return oomGuaranteed
	case corev1.PodQOSBestEffort:
		return oomBestEffort
	}
	if memory <= 0 {
		return oomBestEffort - 1
	}
	score := 1000 - 1000*c.Resources.Requests.Memory().Value()/memory
	if sidecar(c) && isInit(pod, c) {
		least := int64(-1)
		for i := range pod.Spec.Containers {
			if m := pod.Spec.Containers[i].Resources.Requests.Memory().Value(); least < 0 || m < least {
				least = m
			}
		}
		score = min(score, 1000-1000*max(least, 0)/memory)
	}
	switch {
	case score < 1000+oomGuaranteed:
		return 1000 + oomGuaranteed
	case score == oomBestEffort:
		return oomBestEffort - 1
	}
	return int(score)
}

// podResources are the limits of the whole pod: only where every container has one.
func podResources(pod *corev1.Pod) container.Resources {
	requests := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})
	limits := resourcehelper.PodLimits(pod, resourcehelper.PodResourcesOptions{})
	r := container.Resources{CPUShares: shares(requests.Cpu().MilliValue()), CPUPeriod: cpuPeriod}
	cpu, memory := true, true
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			cpu = cpu && !list[i].Resources.Limits.Cpu().IsZero()
			memory = memory && !list[i].Resources.Limits.Memory().IsZero()
		}
	}
	whole := pod.Spec.Resources
	if cpu || whole != nil && !whole.Limits.Cpu().IsZero() {
		r.CPUQuota = quota(limits.Cpu().MilliValue())
	}
	if memory || whole != nil && !whole.Limits.Memory().IsZero() {
		r.MemoryLimit = limits.Memory().Value()
	}
	return r
}

// cgroupParent is where the pod's cgroup hangs, by its class.
func cgroupParent(pod *corev1.Pod) string {
	name := "pod" + string(pod.UID)
	switch qosClass(pod) {
	case corev1.PodQOSGuaranteed:
		return name
	case corev1.PodQOSBestEffort:
		return "besteffort/" + name
	}
	return "burstable/" + name
}
