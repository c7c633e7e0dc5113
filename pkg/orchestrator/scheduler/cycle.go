package scheduler

import (
	"math/rand/v2"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const (
	maxScore = 100
	// minFeasible is how many feasible nodes are always looked for.
	minFeasible = 100
	// minPercentage is the least part of a big cluster that is looked through.
	minPercentage = 5
)

// cycle is one pod's way through the plugins, over nodes that stay as they are meanwhile.
type cycle struct {
	pod             *podInfo
	all             []*node
	namespaceLabels labels.Set
	scheduler       *Scheduler
}

// plugin is one concern of scheduling. Each function looks at the pod first and gives the function to ask for each node, or nil
// where the pod is none of its concern.
type plugin struct {
	name   string
	weight int64
	// wakes says which events may help a pod that the plugin turned away.
	wakes event
	// filter gives the function that turns a node away, by a reason.
	filter func(c *cycle) func(n *node) *rejection
	// score gives the function that rates a feasible node.
	score func(c *cycle, feasible []*node) scorer
}

// scorer rates nodes; normalize brings the ratings of all nodes to 0 … maxScore where they are not.
type scorer struct {
	rate      func(n *node) int64
	normalize func(scores []int64)
}

// rejection is why a node does not fit. Unresolvable means that removing pods from it would not help.
type rejection struct {
	reasons      []string
	unresolvable bool
}

func unresolvable(reason string) *rejection {
	return &rejection{reasons: []string{reason}, unresolvable: true}
}

func unfit(reason string) *rejection { return &rejection{reasons: []string{reason}} }

// plugins lists all of them in the order in which they filter, with upstream's weights.
func plugins() []plugin {
	return []plugin{
		nodeUnschedulable, nodeName, taintToleration, nodeAffinity, nodePorts, nodeResourcesFit,
		podTopologySpread, interPodAffinity, balancedAllocation, imageLocality,
	}
}

// filterStep is a plugin's filter for the pod at hand.
type filterStep struct {
	plugin *plugin
	filter func(n *node) *rejection
}

// findFeasible filters nodes, from where the last cycle stopped, until enough of them fit.
func (s *Scheduler) findFeasible(c *cycle) ([]*node, *failure) {
	var steps []filterStep
	for i := range s.plugins {
		p := &s.plugins[i]
		if p.filter == nil {
			continue
		}
		if f := p.filter(c); f != nil {
			steps = append(steps, filterStep{p, f})
		}
	}
	enough := numToFind(len(c.all), s.config.PercentageOfNodesToScore)
	var feasible []*node
	f := &failure{total: len(c.all), rejections: map[*node]*rejection{}, rejectors: map[string]event{}}
	looked := 0
	for ; looked < len(c.all) && len(feasible) < enough; looked++ {
		n := c.all[(s.nextStart+looked)%len(c.all)]
		if step, r := turnedAway(steps, n); r != nil {
			f.rejections[n] = r
			f.rejectors[step.name] = step.wakes
			continue
		}
		feasible = append(feasible, n)
	}
	s.nextStart = (s.nextStart + looked) % len(c.all)
	return feasible, f
}

func turnedAway(steps []filterStep, n *node) (*plugin, *rejection) {
	for _, step := range steps {
		if r := step.filter(n); r != nil {
			return step.plugin, r
		}
	}
	return nil, nil
}

// numToFind is how many feasible nodes are enough. 5,000 nodes: 50 - 5000/125 = 10 %, so 500.
func numToFind(nodes, percentage int) int {
	if nodes < minFeasible {
		return nodes
	}
	if percentage == 0 {
		percentage = max(minPercentage, 50-nodes/125)
	}
	return max(minFeasible, nodes*percentage/100)
}

// totalScores adds up the plugins' weighted scores.
func totalScores(c *cycle, all []plugin, feasible []*node) []int64 {
	totals, scores := make([]int64, len(feasible)), make([]int64, len(feasible))
	for i := range all {
		p := &all[i]
		if p.score == nil {
			continue
		}
		s := p.score(c, feasible)
		if s.rate == nil {
			continue
		}
		for j, n := range feasible {
			scores[j] = s.rate(n)
		}
		if s.normalize != nil {
			s.normalize(scores)
		}
		for j := range scores {
			totals[j] += p.weight * scores[j]
		}
	}
	return totals
}

// pickBest gives a node of the highest score; among equals chance decides.
func pickBest(feasible []*node, scores []int64) string {
	best, equals := 0, 1
	for i := 1; i < len(scores); i++ {
		switch {
		case scores[i] > scores[best]:
			best, equals = i, 1
		case scores[i] == scores[best]:
			equals++
			if rand.IntN(equals) == 0 {
				best = i
			}
		}
	}
	return feasible[best].object.Name
}

// proportional scales scores so that the highest is maxScore.
func proportional(scores []int64) {
	var highest int64
	for _, s := range scores {
		highest = max(highest, s)
	}
	if highest == 0 {
		return
	}
	for i := range scores {
		scores[i] = maxScore * scores[i] / highest
	}
}

// reversed scales scores so that the highest becomes 0 and 0 becomes maxScore.
func reversed(scores []int64) {
	proportional(scores)
	for i := range scores {
		scores[i] = maxScore - scores[i]
	}
}

func priority(p *corev1.Pod) int32 {
	if p.Spec.Priority == nil {
		return 0
	}
	return *p.Spec.Priority
}
