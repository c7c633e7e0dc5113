package scheduler

import (
	"math"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// hardAffinityWeight is what a running pod's required affinity is worth to a pod that it would like to have near.
const hardAffinityWeight = 1

// interPodAffinity puts pods near others or away from them, as either side's terms say.
var interPodAffinity = plugin{
	name:   "InterPodAffinity",
	weight: 2,
	wakes:  nodeAdded | nodeLabels | podAdded | podDeleted | podLabels | namespaceLabels,
	filter: affinityFilter,
	score:  affinityScore,
}

// term is one affinity term of a pod: pods in some namespaces that a selector matches, within one topology.
type term struct {
	key               string
	selector          labels.Selector
	namespaces        map[string]bool
	namespaceSelector labels.Selector
}

type weightedTerm struct {
	term
	weight int64
}

// domain is one value of a topology key.
type domain struct{ key, value string }

func (p *podInfo) parseTerms() {
	affinity := p.pod.Spec.Affinity
	if affinity == nil {
		return
	}
	if a := affinity.PodAffinity; a != nil {
		p.affinity = p.terms(a.RequiredDuringSchedulingIgnoredDuringExecution)
		p.preferredAffinity = p.weighted(a.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if a := affinity.PodAntiAffinity; a != nil {
		p.antiAffinity = p.terms(a.RequiredDuringSchedulingIgnoredDuringExecution)
		p.preferredAntiAffinity = p.weighted(a.PreferredDuringSchedulingIgnoredDuringExecution)
	}
}

func (p *podInfo) terms(from []corev1.PodAffinityTerm) []term {
	var terms []term
	for i := range from {
		if t, ok := p.term(&from[i]); ok {
			terms = append(terms, t)
		}
	}
	return terms
}

func (p *podInfo) weighted(from []corev1.WeightedPodAffinityTerm) []weightedTerm {
	var terms []weightedTerm
	for i := range from {
		if t, ok := p.term(&from[i].PodAffinityTerm); ok {
			terms = append(terms, weightedTerm{t, int64(from[i].Weight)})
		}
	}
	return terms
}

// term without namespaces means the pod's own.
func (p *podInfo) term(from *corev1.PodAffinityTerm) (term, bool) {
	selector, err := metav1.LabelSelectorAsSelector(from.LabelSelector)
	if err != nil {
		return term{}, false
	}
	namespaceSelector, err := metav1.LabelSelectorAsSelector(from.NamespaceSelector)
	if err != nil {
		return term{}, false
	}
	t := term{key: from.TopologyKey, selector: selector, namespaces: map[string]bool{}, namespaceSelector: namespaceSelector}
	for _, name := range from.Namespaces {
		t.namespaces[name] = true
	}
	if len(from.Namespaces) == 0 && from.NamespaceSelector == nil {
		t.namespaces[p.pod.Namespace] = true
	}
	return t, true
}

// matches says whether a pod, in a namespace with those labels, is one that the term is about.
func (t *term) matches(pod *corev1.Pod, namespaceLabels func() labels.Set) bool {
	if !t.selector.Matches(labels.Set(pod.Labels)) {
		return false
	}
	return t.namespaces[pod.Namespace] || t.namespaceSelector.Matches(namespaceLabels())
}

// labelsOf gives the labels of a pod's namespace when they are asked for.
func (c *cycle) labelsOf(pod *corev1.Pod) func() labels.Set {
	return func() labels.Set {
		if pod.Namespace == c.pod.pod.Namespace {
			return c.namespaceLabels
		}
		ns, err := c.scheduler.namespaces.Get(pod.Namespace)
		if err != nil {
			return nil
		}
		return ns.Labels
	}
}

func affinityFilter(c *cycle) func(*node) *rejection {
	p := c.pod
	var near, apart, keptOff map[domain]bool
	for _, n := range c.all {
		if n.withTerms == 0 && len(p.affinity) == 0 && len(p.antiAffinity) == 0 {
			continue
		}
		for _, other := range n.pods {
			if len(p.affinity) > 0 && matchesAll(p.affinity, other.pod, c.labelsOf(other.pod)) {
				for i := range p.affinity {
					near = note(near, n, p.affinity[i].key)
				}
			}
			for i := range p.antiAffinity {
				if t := &p.antiAffinity[i]; t.matches(other.pod, c.labelsOf(other.pod)) {
					apart = note(apart, n, t.key)
				}
			}
			for i := range other.antiAffinity {
				if t := &other.antiAffinity[i]; t.matches(p.pod, c.labelsOf(p.pod)) {
					keptOff = note(keptOff, n, t.key)
				}
			}
		}
	}
	if len(p.affinity) == 0 && len(apart) == 0 && len(keptOff) == 0 {
		return nil
	}
	// the first of a group that wants to be near its own kind may go anywhere
	first := len(near) == 0 && matchesAll(p.affinity, p.pod, c.labelsOf(p.pod))
	return func(n *node) *rejection {
		switch {
		case !nearAll(p.affinity, n, near, first):
			return unresolvable("node(s) didn't match pod affinity rules")
		case inAny(n, apart):
			return unfit("node(s) didn't match pod anti-affinity rules")
		case inAny(n, keptOff):
			return unfit("node(s) didn't satisfy existing pods anti-affinity rules")
		}
		return nil
	}
}

func matchesAll(terms []term, pod *corev1.Pod, namespaceLabels func() labels.Set) bool {
	for i := range terms {
		if !terms[i].matches(pod, namespaceLabels) {
			return false
		}
	}
	return len(terms) > 0
}

func note(domains map[domain]bool, n *node, key string) map[domain]bool {
	value, ok := n.object.Labels[key]
	if !ok {
		return domains
	}
	if domains == nil {
		domains = map[domain]bool{}
	}
	domains[domain{key, value}] = true
	return domains
}

func nearAll(terms []term, n *node, near map[domain]bool, first bool) bool {
	all := true
	for i := range terms {
		value, ok := n.object.Labels[terms[i].key]
		if !ok {
			return false
		}
		all = all && near[domain{terms[i].key, value}]
	}
	return all || first
}

func inAny(n *node, domains map[domain]bool) bool {
	for d := range domains {
		if value, ok := n.object.Labels[d.key]; ok && value == d.value {
			return true
		}
	}
	return false
}

func affinityScore(c *cycle, _ []*node) scorer {
	p := c.pod
	wishes := len(p.preferredAffinity)+len(p.preferredAntiAffinity) > 0
	points := map[string]map[string]int64{}
	give := func(n *node, key string, weight int64) {
		value, ok := n.object.Labels[key]
		if !ok {
			return
		}
		if points[key] == nil {
			points[key] = map[string]int64{}
		}
		points[key][value] += weight
	}
	for _, n := range c.all {
		if !wishes && n.withTerms == 0 {
			continue
		}
		for _, other := range n.pods {
			if !wishes && !other.hasTerms() {
				continue
			}
			theirs, ours := c.labelsOf(other.pod), c.labelsOf(p.pod)
			eachMatch(p.preferredAffinity, other.pod, theirs, func(t *weightedTerm) { give(n, t.key, t.weight) })
			eachMatch(p.preferredAntiAffinity, other.pod, theirs, func(t *weightedTerm) { give(n, t.key, -t.weight) })
			for i := range other.affinity {
				if t := &other.affinity[i]; t.matches(p.pod, ours) {
					give(n, t.key, hardAffinityWeight)
				}
			}
			eachMatch(other.preferredAffinity, p.pod, ours, func(t *weightedTerm) { give(n, t.key, t.weight) })
			eachMatch(other.preferredAntiAffinity, p.pod, ours, func(t *weightedTerm) { give(n, t.key, -t.weight) })
		}
	}
	if len(points) == 0 {
		return scorer{}
	}
	return scorer{
		rate: func(n *node) (sum int64) {
			for key, byValue := range points {
				if value, ok := n.object.Labels[key]; ok {
					sum += byValue[value]
				}
			}
			return sum
		},
		normalize: stretch,
	}
}

func eachMatch(terms []weightedTerm, pod *corev1.Pod, namespaceLabels func() labels.Set, found func(*weightedTerm)) {
	for i := range terms {
		if terms[i].matches(pod, namespaceLabels) {
			found(&terms[i])
		}
	}
}

// stretch brings the lowest score to 0 and the highest to maxScore.
func stretch(scores []int64) {
	lowest, highest := int64(math.MaxInt64), int64(math.MinInt64)
	for _, s := range scores {
		lowest, highest = min(lowest, s), max(highest, s)
	}
	for i, s := range scores {
		scores[i] = 0
		if highest > lowest {
			scores[i] = int64(maxScore * (float64(s-lowest) / float64(highest-lowest)))
		}
	}
}
