package kubelet

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// admit refuses a pod that this node cannot run. The scheduler has looked already, but a pod may name its node itself; what
// an earlier agent let in is not asked again.
func (w *worker) admit(pod *corev1.Pod) {
	if w.view.sandbox != nil || pod.Status.StartTime != nil || pod.DeletionTimestamp != nil {
		return
	}
	reason, message := "", ""
	if pod.Spec.OS != nil && pod.Spec.OS.Name != corev1.Linux {
		reason, message = "PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"
	} else {
		reason, message = fits(pod, w.k.others(w), w.k.machine.capacity)
	}
	if reason == "" {
		return
	}
	w.view.failed = &failure{reason: reason, message: "Pod was rejected: " + message}
	w.k.events.pod(pod, corev1.EventTypeWarning, reason, message)
}

// others are the pods that this node runs or has let in, without w's.
func (k *Kubelet) others(w *worker) []*corev1.Pod {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []*corev1.Pod
	for _, o := range k.workers {
		pod := o.latest()
		if o != w && !o.ended && !terminal(pod.Status.Phase) && (pod.Status.StartTime != nil || o.admitted) {
			out = append(out, pod)
		}
	}
	w.admitted = true
	return out
}

// fits says why a pod has no room beside others; empty where it has.
func fits(pod *corev1.Pod, others []*corev1.Pod, capacity corev1.ResourceList) (reason, message string) {
	say := func(name corev1.ResourceName, want, used, most int64) (string, string) {
		return "OutOf" + string(name), fmt.Sprintf("Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d", name, want, used, most)
	}
	if most := capacity.Pods().Value(); int64(len(others))+1 > most {
		return say(corev1.ResourcePods, 1, int64(len(others)), most)
	}
	want := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		q := want[name]
		if q.IsZero() {
			continue
		}
		amount := func(list corev1.ResourceList) int64 {
			v := list[name]
			if name == corev1.ResourceCPU {
				return v.MilliValue()
			}
			return v.Value()
		}
		var used int64
		for _, o := range others {
			used += amount(resourcehelper.PodRequests(o, resourcehelper.PodResourcesOptions{}))
		}
		if most := amount(capacity); used+amount(want) > most {
			return say(name, amount(want), used, most)
		}
	}
	return "", ""
}

// keepResources gives running containers the limits that their pod has now.
func (w *worker) keepResources(ctx context.Context, pod *corev1.Pod) {
	for name, h := range w.view.containers {
		c := findContainer(pod, name)
		if c == nil || h.last == nil || h.last.State != container.Running || h.resized == pod.Generation {
			continue
		}
		h.resized = pod.Generation
		has, want := h.last.Config.Resources, containerResources(pod, c, w.k.machine.memory)
		if has.CPUShares == want.CPUShares && has.CPUQuota == want.CPUQuota && has.MemoryLimit == want.MemoryLimit {
			continue
		}
		want.OOMScoreAdj, want.PidsLimit = has.OOMScoreAdj, has.PidsLimit
		h.last.Config.Resources = want
		id := h.last.ID
		w.ops.Go(func() {
			if err := w.k.config.Runtime.UpdateResources(ctx, id, want); err != nil && ctx.Err() == nil {
				w.k.events.container(pod, name, corev1.EventTypeWarning, "ResizeError", fmt.Sprintf("update resources: %v", err))
			}
		})
	}
}
