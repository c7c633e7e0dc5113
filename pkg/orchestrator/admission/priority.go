package admission

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// The classes that every cluster has.
const (
	systemClusterCritical = 2000000000
	systemNodeCritical    = systemClusterCritical + 1000
)

// Priority turns a pod's priority class into the number that the scheduler compares. The cluster has the two system classes;
// without a class, a pod's priority is 0.
type Priority struct{}

// NewPriority makes the plugin.
func NewPriority() *Priority { return &Priority{} }

// Name is upstream's.
func (*Priority) Name() string { return "Priority" }

// Admit sets the number on create, and keeps it on update.
func (*Priority) Admit(_ context.Context, r *Request) error {
	pod, ok := r.Object.(*corev1.Pod)
	if !ok || !r.is("pods", "") {
		return nil
	}
	switch r.Verb {
	case Update:
		keepPriority(pod, r.Old)
		return nil
	case Create:
		return setPriority(r, pod)
	}
	return nil
}

func keepPriority(pod *corev1.Pod, old any) {
	was, ok := old.(*corev1.Pod)
	if !ok {
		return
	}
	if pod.Spec.Priority == nil && was.Spec.Priority != nil {
		pod.Spec.Priority = new(*was.Spec.Priority)
	}
	if pod.Spec.PreemptionPolicy == nil && was.Spec.PreemptionPolicy != nil {
		pod.Spec.PreemptionPolicy = new(*was.Spec.PreemptionPolicy)
	}
}

func setPriority(r *Request, pod *corev1.Pod) error {
	value, policy := int32(0), corev1.PreemptLowerPriority
	switch pod.Spec.PriorityClassName {
	case "":
	case "system-cluster-critical":
		value = systemClusterCritical
	case "system-node-critical":
		value = systemNodeCritical
	default:
		return r.forbidden("no PriorityClass with name %v was found", pod.Spec.PriorityClassName)
	}
	if got := pod.Spec.Priority; got != nil && *got != value {
		return r.forbidden("the integer value of priority (%d) must not be provided in pod spec; priority admission controller computed %d from the given PriorityClass name", *got, value)
	}
	if got := pod.Spec.PreemptionPolicy; got != nil && *got != policy {
		return r.forbidden("the string value of PreemptionPolicy (%s) must not be provided in pod spec; priority admission controller computed %s from the given PriorityClass name", *got, policy)
	}
	pod.Spec.Priority, pod.Spec.PreemptionPolicy = &value, &policy
	return nil
}
