package replicaset

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// toDelete chooses n of active. Pods that share their node with many related ones go before others.
func toDelete(active, related []*corev1.Pod, n int, now time.Time) []*corev1.Pod {
	if n >= len(active) {
		return active
	}
	onNode := map[string]int{}
	for _, p := range related {
		onNode[p.Spec.NodeName]++
	}
	ranked := slices.Clone(active)
	slices.SortFunc(ranked, func(a, b *corev1.Pod) int { return before(a, b, onNode, now) })
	return ranked[:n]
}

// before is negative where a should be deleted before b: unassigned, pending, not ready, cheap (by annotation), crowded, ready
// for a short time, restarted often, young. Times are compared by magnitude only, and then by UID, so that among pods of
// about the same age chance decides.
func before(a, b *corev1.Pod, onNode map[string]int, now time.Time) int {
	return cmp.Or(
		first(a.Spec.NodeName == "", b.Spec.NodeName == ""),
		cmp.Compare(phase(a), phase(b)),
		first(!controller.IsReady(a), !controller.IsReady(b)),
		cmp.Compare(deletionCost(a), deletionCost(b)),
		cmp.Compare(onNode[b.Spec.NodeName], onNode[a.Spec.NodeName]),
		byAge(a, b, readySince(a), readySince(b), now),
		-byRestarts(a, b),
		byAge(a, b, a.CreationTimestamp.Time, b.CreationTimestamp.Time, now),
	)
}

// first is negative where only a has the property.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func phase(p *corev1.Pod) int {
	switch p.Status.Phase {
	case corev1.PodUnknown:
		return 1
	case corev1.PodRunning:
		return 2
	}
	return 0
}

func deletionCost(p *corev1.Pod) int32 {
	n, err := strconv.ParseInt(p.Annotations[corev1.PodDeletionCost], 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

func readySince(p *corev1.Pod) time.Time {
	if c := controller.PodCondition(p, corev1.PodReady); c != nil && c.Status == corev1.ConditionTrue {
		return c.LastTransitionTime.Time
	}
	return time.Time{}
}

// byAge puts the unknown and the younger first.
func byAge(a, b *corev1.Pod, since, other, now time.Time) int {
	switch {
	case since.Equal(other):
		return 0
	case since.IsZero() || other.IsZero():
		return first(since.IsZero(), other.IsZero())
	}
	return cmp.Or(cmp.Compare(magnitude(now.Sub(since)), magnitude(now.Sub(other))), cmp.Compare(a.UID, b.UID))
}

func magnitude(d time.Duration) int {
	if d <= 0 {
		return -1
	}
	return int(math.Log2(float64(d)))
}

// byRestarts compares the highest restart counts: of the containers, then of the sidecars.
func byRestarts(a, b *corev1.Pod) int {
	regularA, sidecarA := restarts(a)
	regularB, sidecarB := restarts(b)
	return cmp.Or(cmp.Compare(regularA, regularB), cmp.Compare(sidecarA, sidecarB))
}

func restarts(p *corev1.Pod) (regular, sidecar int32) {
	for _, c := range p.Status.ContainerStatuses {
		regular = max(regular, c.RestartCount)
	}
	for _, c := range p.Spec.InitContainers {
		if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
			continue
		}
		for _, s := range p.Status.InitContainerStatuses {
			if s.Name == c.Name {
				sidecar = max(sidecar, s.RestartCount)
			}
		}
	}
	return regular, sidecar
}
