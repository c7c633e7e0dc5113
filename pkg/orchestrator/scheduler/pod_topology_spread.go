package scheduler

import (
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// podTopologySpread spreads pods of a kind over nodes and zones: as their constraints say, or else, softly, pods of one service
// or ReplicaSet.
var podTopologySpread = plugin{
	name:   "PodTopologySpread",
	weight: 2,
	wakes:  nodeAdded | nodeLabels | nodeTaints | podAdded | podDeleted | podLabels,
	filter: spreadFilter,
	score:  spreadScore,
}

// The constraints of pods that have none.
var defaultConstraints = []corev1.TopologySpreadConstraint{
	{TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway, MaxSkew: 3},
	{TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.ScheduleAnyway, MaxSkew: 5},
}

// constraint is one of a pod's constraints, made ready.
type constraint struct {
	key         string
	maxSkew     int
	minDomains  int
	pods        *matcher
	heedTaints  bool
	heedLabels  bool
	domainCount map[string]int // pods by topology value
}

// constraintsOf makes those constraints ready that apply in the given way.
func constraintsOf(pod *corev1.Pod, from []corev1.TopologySpreadConstraint, action corev1.UnsatisfiableConstraintAction) []*constraint {
	var found []*constraint
	for _, c := range from {
		if c.WhenUnsatisfiable != action {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(c.LabelSelector)
		if err != nil {
			continue // validation refuses such a selector
		}
		for _, key := range c.MatchLabelKeys {
			if value, ok := pod.Labels[key]; ok {
				own, _ := labels.SelectorFromSet(labels.Set{key: value}).Requirements()
				selector = selector.Add(own...)
			}
		}
		next := &constraint{key: c.TopologyKey, maxSkew: int(c.MaxSkew), minDomains: 1, pods: newMatcher(pod.Namespace, selector), heedLabels: true, domainCount: map[string]int{}}
		if c.MinDomains != nil {
			next.minDomains = int(*c.MinDomains)
		}
		if c.NodeAffinityPolicy != nil {
			next.heedLabels = *c.NodeAffinityPolicy == corev1.NodeInclusionPolicyHonor
		}
		if c.NodeTaintsPolicy != nil {
			next.heedTaints = *c.NodeTaintsPolicy == corev1.NodeInclusionPolicyHonor
		}
		found = append(found, next)
	}
	return found
}

func spreadFilter(c *cycle) func(*node) *rejection {
	pod := c.pod.pod
	constraints := constraintsOf(pod, pod.Spec.TopologySpreadConstraints, corev1.DoNotSchedule)
	if len(constraints) == 0 {
		return nil
	}
	eligible := newEligibility(pod)
	for _, n := range c.all {
		if !hasKeys(n, constraints) {
			continue
		}
		for _, t := range constraints {
			if eligible.counts(t, n) {
				t.domainCount[n.object.Labels[t.key]] += t.pods.count(n)
			}
		}
	}
	lowest, self := make([]int, len(constraints)), make([]int, len(constraints))
	for i, t := range constraints {
		lowest[i] = t.lowest()
		if t.pods.selector.Matches(labels.Set(pod.Labels)) {
			self[i] = 1
		}
	}
	return func(n *node) *rejection {
		for i, t := range constraints {
			value, ok := n.object.Labels[t.key]
			if !ok {
				return unresolvable("node(s) didn't match pod topology spread constraints (missing required label)")
			}
			if t.domainCount[value]+self[i]-lowest[i] > t.maxSkew {
				return unfit("node(s) didn't match pod topology spread constraints")
			}
		}
		return nil
	}
}

// lowest is the count of the emptiest domain; too few domains count as an empty one.
func (t *constraint) lowest() int {
	if len(t.domainCount) < t.minDomains {
		return 0
	}
	least := math.MaxInt
	for _, n := range t.domainCount {
		least = min(least, n)
	}
	return least
}

func spreadScore(c *cycle, feasible []*node) scorer {
	pod := c.pod.pod
	explicit := len(pod.Spec.TopologySpreadConstraints) > 0
	var constraints []*constraint
	if explicit {
		constraints = constraintsOf(pod, pod.Spec.TopologySpreadConstraints, corev1.ScheduleAnyway)
	} else if selector := c.scheduler.defaultSelector(pod); !selector.Empty() {
		constraints = constraintsOf(pod, defaultConstraints, corev1.ScheduleAnyway)
		pods := newMatcher(pod.Namespace, selector)
		for _, t := range constraints {
			t.pods = pods
		}
	}
	if len(constraints) == 0 {
		return scorer{}
	}
	ignored := map[*node]bool{}
	for _, n := range feasible {
		if explicit && !hasKeys(n, constraints) {
			ignored[n] = true
			continue
		}
		for _, t := range constraints {
			if t.key != corev1.LabelHostname {
				t.domainCount[n.object.Labels[t.key]] = 0
			}
		}
	}
	weights := make([]float64, len(constraints))
	for i, t := range constraints {
		domains := len(t.domainCount)
		if t.key == corev1.LabelHostname {
			domains = len(feasible) - len(ignored)
		}
		weights[i] = math.Log(float64(domains + 2))
	}
	countDomains(c, constraints, explicit)
	return scorer{
		rate:      func(n *node) int64 { return spreadRating(n, constraints, weights, ignored[n]) },
		normalize: fewestFirst,
	}
}

// countDomains counts matching pods by zone and the like. By host they are counted when the host is rated.
func countDomains(c *cycle, constraints []*constraint, explicit bool) {
	if !slices.ContainsFunc(constraints, func(t *constraint) bool { return t.key != corev1.LabelHostname }) {
		return
	}
	eligible := newEligibility(c.pod.pod)
	for _, n := range c.all {
		if explicit && !hasKeys(n, constraints) {
			continue
		}
		for _, t := range constraints {
			value, labelled := n.object.Labels[t.key]
			if _, known := t.domainCount[value]; t.key == corev1.LabelHostname || !labelled || !known || !eligible.counts(t, n) {
				continue
			}
			t.domainCount[value] += t.pods.count(n)
		}
	}
}

// ignoredRating marks nodes that lack a label of the constraints: they end with 0.
const ignoredRating = -1

func spreadRating(n *node, constraints []*constraint, weights []float64, ignored bool) int64 {
	if ignored {
		return ignoredRating
	}
	var rating float64
	for i, t := range constraints {
		value, ok := n.object.Labels[t.key]
		if !ok {
			continue
		}
		count := t.domainCount[value]
		if t.key == corev1.LabelHostname {
			count = t.pods.count(n)
		}
		rating += float64(count)*weights[i] + float64(t.maxSkew-1)
	}
	return int64(math.Round(rating))
}

// fewestFirst gives the node with the fewest matching pods the highest score.
func fewestFirst(scores []int64) {
	lowest, highest := int64(math.MaxInt64), int64(0)
	for _, s := range scores {
		if s != ignoredRating {
			lowest, highest = min(lowest, s), max(highest, s)
		}
	}
	for i, s := range scores {
		switch {
		case s == ignoredRating:
			scores[i] = 0
		case highest == 0:
			scores[i] = maxScore
		default:
			scores[i] = maxScore * (highest + lowest - s) / highest
		}
	}
}

// eligibility says whether a node's domain counts for a constraint.
type eligibility struct {
	required    nodeaffinity.RequiredNodeAffinity
	tolerations []corev1.Toleration
}

func newEligibility(pod *corev1.Pod) *eligibility {
	return &eligibility{nodeaffinity.GetRequiredNodeAffinity(pod), pod.Spec.Tolerations}
}

func (e *eligibility) counts(t *constraint, n *node) bool {
	if t.heedLabels {
		if ok, err := e.required.Match(n.object); err != nil || !ok {
			return false
		}
	}
	if t.heedTaints {
		if _, found := corev1helpers.FindMatchingUntoleratedTaint(klog.Background(), n.object.Spec.Taints, e.tolerations, keepsOut, true); found {
			return false
		}
	}
	return true
}

func hasKeys(n *node, constraints []*constraint) bool {
	for _, t := range constraints {
		if _, ok := n.object.Labels[t.key]; !ok {
			return false
		}
	}
	return true
}

// defaultSelector selects the pods of the same services and the same ReplicaSet.
func (s *Scheduler) defaultSelector(pod *corev1.Pod) labels.Selector {
	merged := labels.Set{}
	services, err := s.services.Services(pod.Namespace).List(labels.Everything())
	if err == nil {
		for _, service := range services {
			if service.Spec.Selector != nil && labels.SelectorFromValidatedSet(service.Spec.Selector).Matches(labels.Set(pod.Labels)) {
				merged = labels.Merge(merged, service.Spec.Selector)
			}
		}
	}
	selector := labels.SelectorFromSet(merged)
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil || owner.Kind != "ReplicaSet" {
		return selector
	}
	if rs, err := s.replicaSets.ReplicaSets(pod.Namespace).Get(owner.Name); err == nil {
		if own, err := metav1.LabelSelectorAsSelector(rs.Spec.Selector); err == nil {
			if requirements, ok := own.Requirements(); ok {
				selector = selector.Add(requirements...)
			}
		}
	}
	return selector
}
