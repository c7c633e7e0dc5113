package scheduler

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// cohort is all pods of one namespace that have the same labels, and so match the same selectors: as a rule the pods of one
// ReplicaSet. Nodes count their pods by cohort, so that spreading asks a selector once for each cohort and not for each pod.
type cohort struct {
	namespace string
	labels    labels.Set
	key       string
	pods      int // how many podInfos refer to it
}

// cohorts holds those that have pods.
type cohorts map[string]*cohort

// join gives the cohort of a pod, which has to leave it in the end.
func (all cohorts) join(pod *corev1.Pod) *cohort {
	key := cohortKey(pod)
	c, ok := all[key]
	if !ok {
		c = &cohort{namespace: pod.Namespace, labels: maps.Clone(pod.Labels), key: key}
		all[key] = c
	}
	c.pods++
	return c
}

func (all cohorts) leave(c *cohort) {
	if c.pods--; c.pods == 0 {
		delete(all, c.key)
	}
}

// cohortKey is the same for two pods only if namespace and labels are: lengths keep the parts apart.
func cohortKey(pod *corev1.Pod) string {
	var b strings.Builder
	write := func(s string) {
		b.WriteString(strconv.Itoa(len(s)))
		b.WriteByte(':')
		b.WriteString(s)
	}
	write(pod.Namespace)
	for _, name := range slices.Sorted(maps.Keys(pod.Labels)) {
		write(name)
		write(pod.Labels[name])
	}
	return b.String()
}

// matcher counts the pods of a namespace that a selector matches and that are to stay.
type matcher struct {
	namespace string
	selector  labels.Selector
	known     map[*cohort]bool
}

func newMatcher(namespace string, selector labels.Selector) *matcher {
	return &matcher{namespace: namespace, selector: selector, known: map[*cohort]bool{}}
}

func (m *matcher) count(n *node) (count int) {
	if m.selector.Empty() {
		return 0
	}
	for c, pods := range n.staying {
		matches, known := m.known[c]
		if !known {
			matches = c.namespace == m.namespace && m.selector.Matches(c.labels)
			m.known[c] = matches
		}
		if matches {
			count += pods
		}
	}
	return count
}
