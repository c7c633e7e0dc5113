package controller

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// Names of the indexes that controllers share on the pod informer.
const (
	PodsByController = "podController"
	PodsByNode       = "spec.nodeName"
)

// IndexPods adds the shared indexes to the pod informer. It may be called any number of times.
func IndexPods(informer cache.SharedIndexInformer) {
	have := informer.GetIndexer().GetIndexers()
	if _, ok := have[PodsByController]; !ok {
		// an error can only mean that another controller was faster: the names are constants
		_ = informer.AddIndexers(cache.Indexers{PodsByController: byController})
	}
	if _, ok := have[PodsByNode]; !ok {
		_ = informer.AddIndexers(cache.Indexers{PodsByNode: byNode})
	}
}

func byController(obj any) ([]string, error) {
	pod := obj.(*corev1.Pod)
	if ref := metav1.GetControllerOfNoCopy(pod); ref != nil {
		return []string{string(ref.UID)}, nil
	}
	return []string{"orphans/" + pod.Namespace}, nil
}

func byNode(obj any) ([]string, error) {
	if node := obj.(*corev1.Pod).Spec.NodeName; node != "" {
		return []string{node}, nil
	}
	return nil, nil
}

// PodsOf gives the pods that owner controls, and with orphans those of its namespace that nobody controls.
func PodsOf(pods cache.Indexer, owner metav1.Object, orphans bool) []*corev1.Pod {
	found := podsAt(pods, PodsByController, string(owner.GetUID()))
	if orphans {
		found = append(found, podsAt(pods, PodsByController, "orphans/"+owner.GetNamespace())...)
	}
	return found
}

// PodsOn gives the pods bound to a node.
func PodsOn(pods cache.Indexer, node string) []*corev1.Pod { return podsAt(pods, PodsByNode, node) }

func podsAt(pods cache.Indexer, index, value string) []*corev1.Pod {
	objs, err := pods.ByIndex(index, value)
	if err != nil {
		return nil // an unknown index: IndexPods was not called
	}
	found := make([]*corev1.Pod, 0, len(objs))
	for _, obj := range objs {
		found = append(found, obj.(*corev1.Pod))
	}
	return found
}

// IsActive holds for pods that are neither ended nor being deleted.
func IsActive(p *corev1.Pod) bool { return !IsTerminal(p) && p.DeletionTimestamp == nil }

// IsTerminal holds for pods whose containers have all ended for good.
func IsTerminal(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// PodCondition gives a condition of a pod, nil if it has none of that type.
func PodCondition(p *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == kind {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// IsReady holds for pods whose Ready condition is true.
func IsReady(p *corev1.Pod) bool {
	c := PodCondition(p, corev1.PodReady)
	return c != nil && c.Status == corev1.ConditionTrue
}

// AvailableIn gives how long a ready pod needs until it has been ready for minReadySeconds; 0 means it is available. ok is
// false for pods that are not ready.
func AvailableIn(p *corev1.Pod, minReadySeconds int32, now time.Time) (d time.Duration, ok bool) {
	c := PodCondition(p, corev1.PodReady)
	if c == nil || c.Status != corev1.ConditionTrue {
		return 0, false
	}
	if minReadySeconds == 0 {
		return 0, true
	}
	if c.LastTransitionTime.IsZero() {
		return 0, false
	}
	return max(0, c.LastTransitionTime.Add(time.Duration(minReadySeconds)*time.Second).Sub(now)), true
}
