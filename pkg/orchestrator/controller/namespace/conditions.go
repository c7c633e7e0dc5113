package namespace

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// findings is what one round of deletion met with.
type findings struct {
	discovery, parsing error
	failures           []error
	remaining          map[schema.GroupVersionResource]int
	finalizers         map[string]int
	estimate           int64 // seconds until it is worth looking again
	waiting            bool  // only pods were looked at
}

func newFindings() *findings {
	return &findings{remaining: map[schema.GroupVersionResource]int{}, finalizers: map[string]int{}}
}

func (f *findings) fail(err error) { f.failures = append(f.failures, err) }

func (f *findings) err() error {
	return errors.Join(append([]error{f.discovery, f.parsing}, f.failures...)...)
}

// conditions gives the five conditions of a namespace's deletion, in upstream's order and words.
func (f *findings) conditions() []corev1.NamespaceCondition {
	return []corev1.NamespaceCondition{
		verdict(corev1.NamespaceDeletionDiscoveryFailure, "DiscoveryFailed", discoveryMessage(f.discovery), "ResourcesDiscovered", "All resources successfully discovered"),
		verdict(corev1.NamespaceDeletionGVParsingFailure, "GroupVersionParsingFailed", message(f.parsing), "ParsedGroupVersions", "All legacy kube types successfully parsed"),
		verdict(corev1.NamespaceDeletionContentFailure, "ContentDeletionFailed", f.failureMessage(), "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
		verdict(corev1.NamespaceContentRemaining, "SomeResourcesRemain", f.remainingMessage(), "ContentRemoved", "All content successfully removed"),
		verdict(corev1.NamespaceFinalizersRemaining, "SomeFinalizersRemain", f.finalizerMessage(), "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
	}
}

// verdict is true with what is wrong, or false if nothing is.
func verdict(kind corev1.NamespaceConditionType, reason, wrong, okReason, ok string) corev1.NamespaceCondition {
	if wrong == "" {
		return corev1.NamespaceCondition{Type: kind, Status: corev1.ConditionFalse, Reason: okReason, Message: ok}
	}
	return corev1.NamespaceCondition{Type: kind, Status: corev1.ConditionTrue, Reason: reason, Message: wrong}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func discoveryMessage(err error) string {
	var failed *discovery.ErrGroupDiscoveryFailed
	if errors.As(err, &failed) {
		return fmt.Sprintf("Discovery failed for some groups, %d failing: %v", len(failed.Groups), err)
	}
	return message(err)
}

func (f *findings) failureMessage() string {
	if len(f.failures) == 0 {
		return ""
	}
	texts := make([]string, len(f.failures))
	for i, err := range f.failures {
		texts[i] = err.Error()
	}
	slices.Sort(texts)
	return fmt.Sprintf("Failed to delete all resource types, %d remaining: %v", len(texts), strings.Join(texts, ", "))
}

// remainingMessage is empty while only pods are looked at: upstream reports what remains after a whole round.
func (f *findings) remainingMessage() string {
	if f.waiting || len(f.remaining) == 0 {
		return ""
	}
	var texts []string
	for resource, n := range f.remaining {
		texts = append(texts, fmt.Sprintf("%s.%s has %d resource instances", resource.Resource, resource.Group, n))
	}
	slices.Sort(texts)
	return "Some resources are remaining: " + strings.Join(texts, ", ")
}

func (f *findings) finalizerMessage() string {
	if f.waiting || len(f.finalizers) == 0 {
		return ""
	}
	var texts []string
	for finalizer, n := range f.finalizers {
		texts = append(texts, fmt.Sprintf("%s in %d resource instances", finalizer, n))
	}
	slices.Sort(texts)
	return "Some content in the namespace has finalizers remaining: " + strings.Join(texts, ", ")
}

// updateConditions merges conditions into a status; the transition time moves with the status only. It reports a change.
func updateConditions(status *corev1.NamespaceStatus, conditions []corev1.NamespaceCondition) (changed bool) {
	for _, c := range conditions {
		c.LastTransitionTime = metav1.Now()
		i := slices.IndexFunc(status.Conditions, func(old corev1.NamespaceCondition) bool { return old.Type == c.Type })
		if i < 0 {
			status.Conditions = append(status.Conditions, c)
			changed = true
			continue
		}
		old := &status.Conditions[i]
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		changed = changed || old.Status != c.Status || old.Reason != c.Reason || old.Message != c.Message
		*old = c
	}
	return changed
}
