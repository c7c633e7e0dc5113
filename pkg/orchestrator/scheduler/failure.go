package scheduler

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// failure is why no node fits, in upstream's words.
type failure struct {
	noNodes    bool
	plugins    []plugin
	total      int
	rejections map[*node]*rejection
	rejectors  map[string]event
	postFilter string
}

// noClaims is what upstream says first of how room could be made: pods here claim no devices that could be given back.
const noClaims = "no new claims to deallocate"

func (f *failure) message() string {
	if f.noNodes {
		return "no nodes available to schedule pods"
	}
	text := fmt.Sprintf("0/%d nodes are available:", f.total)
	counts := map[string]int{}
	for _, r := range f.rejections {
		for _, reason := range r.reasons {
			counts[reason]++
		}
	}
	if reasons := histogram(counts); reasons != "" {
		text += " " + reasons + "."
	}
	if f.postFilter != "" {
		text += " " + noClaims + ", " + f.postFilter
	}
	return text
}

// wakes says which events may change the outcome.
func (f *failure) wakes() event {
	if f.noNodes {
		return nodeAdded
	}
	var mask event
	for _, wakes := range f.rejectors {
		mask |= wakes
	}
	return mask
}

// histogram sorts "count reason" as text, as upstream does.
func histogram(counts map[string]int) string {
	var texts []string
	for reason, n := range counts {
		texts = append(texts, fmt.Sprintf("%d %s", n, reason))
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

// explainPreemption says for each node why no pod could make room on it. Where there are pods of lower priority it says
// nothing, since that would not be true of their node.
func explainPreemption(c *cycle, f *failure) string {
	pod := c.pod.pod
	if pod.Spec.PreemptionPolicy != nil && *pod.Spec.PreemptionPolicy == corev1.PreemptNever {
		return "preemption: not eligible due to preemptionPolicy=Never."
	}
	counts := map[string]int{}
	for n, r := range f.rejections {
		switch {
		case r.unresolvable:
			counts["Preemption is not helpful for scheduling"]++
		case n.lowerThan(priority(pod)):
			return ""
		default:
			counts["No preemption victims found for incoming pod"]++
		}
	}
	return fmt.Sprintf("preemption: 0/%d nodes are available: %s.", f.total, histogram(counts))
}
