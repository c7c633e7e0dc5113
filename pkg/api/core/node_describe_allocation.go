package core

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	podresource "k8s.io/component-helpers/resource"

	"github.com/kubeskiff/skiff/pkg/api"
)

// describeAllocation writes the pods of a node with what they ask for, and the sums against what the node can give.
func describeAllocation(w *api.DescribeWriter, node *corev1.Node, pods []corev1.Pod) {
	allocatable := node.Status.Allocatable
	if len(allocatable) == 0 {
		allocatable = node.Status.Capacity
	}
	w.Print(0, "Non-terminated Pods:\t(%d in total)\n", len(pods))
	w.Print(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n")
	w.Print(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n")
	cpu, memory := allocatable.Cpu(), allocatable.Memory()
	requests, limits := corev1.ResourceList{}, corev1.ResourceList{}
	for i := range pods {
		opts := podresource.PodResourcesOptions{UseStatusResources: true}
		req, lim := podresource.PodRequests(&pods[i], opts), podresource.PodLimits(&pods[i], opts)
		cpuReq, cpuLim, memReq, memLim := req.Cpu(), lim.Cpu(), req.Memory(), lim.Memory()
		w.Print(1, "%s\t%s\t\t%s (%d%%)\t%s (%d%%)\t%s (%d%%)\t%s (%d%%)\t%s\n", pods[i].Namespace, pods[i].Name,
			cpuReq, milliPercent(cpuReq, cpu), cpuLim, milliPercent(cpuLim, cpu),
			memReq, percent(memReq, memory), memLim, percent(memLim, memory), api.Since(pods[i].CreationTimestamp))
		addResources(requests, podresource.PodRequests(&pods[i], podresource.PodResourcesOptions{}))
		addResources(limits, podresource.PodLimits(&pods[i], podresource.PodResourcesOptions{}))
	}
	w.Print(0, "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n")
	w.Print(1, "Resource\tRequests\tLimits\n")
	w.Print(1, "--------\t--------\t------\n")
	w.Print(1, "cpu\t%s (%d%%)\t%s (%d%%)\n", requests.Cpu(), milliPercent(requests.Cpu(), cpu), limits.Cpu(), milliPercent(limits.Cpu(), cpu))
	standard := []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceEphemeralStorage}
	for _, name := range append(standard, hugePages(allocatable)...) {
		r, l, total := requests[name], limits[name], allocatable[name]
		w.Print(1, "%s\t%s (%d%%)\t%s (%d%%)\n", name, &r, percent(&r, &total), &l, percent(&l, &total))
	}
	for _, name := range extended(allocatable) {
		r, l := requests[name], limits[name]
		w.Print(1, "%s\t%s\t%s\n", name, &r, &l)
	}
}

func addResources(sum, part corev1.ResourceList) {
	for name, quantity := range part {
		total := sum[name]
		total.Add(quantity)
		sum[name] = total
	}
}

// percent is the whole percentage of total that q is; 0 where there is none of it.
func percent(q, total *resource.Quantity) int64 {
	if total.Value() == 0 {
		return 0
	}
	return int64(float64(q.Value()) / float64(total.Value()) * 100)
}

// milliPercent is percent by thousandths, for CPUs.
func milliPercent(q, total *resource.Quantity) int64 {
	if total.MilliValue() == 0 {
		return 0
	}
	return int64(float64(q.MilliValue()) / float64(total.MilliValue()) * 100)
}

func hugePages(list corev1.ResourceList) []corev1.ResourceName {
	return slices.DeleteFunc(sortedResources(list), func(name corev1.ResourceName) bool { return !isHugePages(name) })
}

// extended gives the resources that are no standard ones of a container.
func extended(list corev1.ResourceList) []corev1.ResourceName {
	return slices.DeleteFunc(sortedResources(list), func(name corev1.ResourceName) bool {
		switch name {
		case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage, corev1.ResourcePods:
			return true
		}
		return isHugePages(name)
	})
}
