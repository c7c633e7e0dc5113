package resource

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// compareForLogs puts the pod first whose log one most likely wants: assigned, running, ready for long, restarted often, old.
func compareForLogs(a, b *corev1.Pod) int {
	return cmp.Or(
		-compareBool(a.Spec.NodeName != "", b.Spec.NodeName != ""),
		-cmp.Compare(phaseRank(a, 2), phaseRank(b, 2)),
		-compareBool(readySince(a) != nil, readySince(b) != nil),
		compareTimes(readySince(a), readySince(b)),
		-compareRestarts(a, b),
		compareTimes(&a.CreationTimestamp, &b.CreationTimestamp),
	)
}

// compareActive puts the pod first that one would miss least, as controllers do when they delete; the last is the best to join.
func compareActive(a, b *corev1.Pod) int {
	return cmp.Or(
		compareBool(a.Spec.NodeName != "", b.Spec.NodeName != ""),
		cmp.Compare(phaseRank(a, 0), phaseRank(b, 0)),
		compareBool(readySince(a) != nil, readySince(b) != nil),
		compareBool(a.DeletionTimestamp == nil, b.DeletionTimestamp == nil),
		deletedEarlier(a, b),
		-compareTimes(readySince(a), readySince(b)),
		-compareRestarts(a, b),
		-compareTimes(&a.CreationTimestamp, &b.CreationTimestamp),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// phaseRank puts running above unknown above pending; ended is the rank of pods that have ended.
func phaseRank(p *corev1.Pod, ended int) int {
	switch p.Status.Phase {
	case corev1.PodRunning:
		return 2
	case corev1.PodUnknown:
		return 1
	case corev1.PodPending:
		return 0
	}
	return ended
}

// readySince is when the pod became ready, nil if it is not.
func readySince(p *corev1.Pod) *metav1.Time {
	for i, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return &p.Status.Conditions[i].LastTransitionTime
		}
	}
	return nil
}

// compareTimes puts the earlier first and no time last.
func compareTimes(a, b *metav1.Time) int {
	switch {
	case a.IsZero() || b.IsZero():
		return compareBool(a.IsZero(), b.IsZero())
	default:
		return a.Compare(b.Time)
	}
}

func deletedEarlier(a, b *corev1.Pod) int {
	if a.DeletionTimestamp == nil || b.DeletionTimestamp == nil {
		return 0
	}
	return a.DeletionTimestamp.Compare(b.DeletionTimestamp.Time)
}

// compareRestarts goes by the most restarts of a container, then of a sidecar.
func compareRestarts(a, b *corev1.Pod) int {
	ra, sa := restarts(a)
	rb, sb := restarts(b)
	return cmp.Or(cmp.Compare(ra, rb), cmp.Compare(sa, sb))
}

func restarts(p *corev1.Pod) (regular, sidecar int32) {
	for _, s := range p.Status.ContainerStatuses {
		regular = max(regular, s.RestartCount)
	}
	sidecars := map[string]bool{}
	for _, c := range p.Spec.InitContainers {
		sidecars[c.Name] = c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	}
	for _, s := range p.Status.InitContainerStatuses {
		if sidecars[s.Name] {
			sidecar = max(sidecar, s.RestartCount)
		}
	}
	return regular, sidecar
}
