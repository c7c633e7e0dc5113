package scheduler

import (
	"fmt"
	"math"
)

// nodeResourcesFit turns nodes away that lack what the pod requests, and prefers those with much left ("least allocated").
var nodeResourcesFit = plugin{
	name:   "NodeResourcesFit",
	weight: 1,
	wakes:  nodeAdded | nodeAllocatable | podDeleted,
	filter: func(c *cycle) func(*node) *rejection {
		want := c.pod.requests
		return func(n *node) *rejection { return insufficient(want, n) }
	},
	score: func(c *cycle, _ []*node) scorer {
		return scorer{rate: func(n *node) int64 {
			return leastAllocated([]amount{
				{n.nonZero.cpu + c.pod.nonZero.cpu, n.allocatable.cpu},
				{n.nonZero.memory + c.pod.nonZero.memory, n.allocatable.memory},
			})
		}}
	},
}

// balancedAllocation prefers nodes on which cpu and memory are used alike.
var balancedAllocation = plugin{
	name:   "NodeResourcesBalancedAllocation",
	weight: 1,
	score: func(c *cycle, _ []*node) scorer {
		if c.pod.requests.cpu == 0 && c.pod.requests.memory == 0 {
			return scorer{}
		}
		return scorer{rate: func(n *node) int64 {
			before := []amount{{n.requested.cpu, n.allocatable.cpu}, {n.requested.memory, n.allocatable.memory}}
			after := []amount{
				{n.requested.cpu + c.pod.requests.cpu, n.allocatable.cpu},
				{n.requested.memory + c.pod.requests.memory, n.allocatable.memory},
			}
			return maxScore/2 + (maxScore/2+balance(after)-balance(before))/2
		}}
	},
}

// insufficient names what the node lacks.
func insufficient(want resources, n *node) *rejection {
	r := rejection{}
	if int64(len(n.pods))+1 > n.allocatable.pods {
		r.reasons = append(r.reasons, "Too many pods")
	}
	check := func(name string, want, used, capacity int64) {
		if want > 0 && want > capacity-used {
			r.reasons = append(r.reasons, "Insufficient "+name)
			r.unresolvable = r.unresolvable || want > capacity
		}
	}
	check("cpu", want.cpu, n.requested.cpu, n.allocatable.cpu)
	check("memory", want.memory, n.requested.memory, n.allocatable.memory)
	check("ephemeral-storage", want.storage, n.requested.storage, n.allocatable.storage)
	for name, amount := range want.others {
		check(fmt.Sprint(name), amount, n.requested.others[name], n.allocatable.others[name])
	}
	if len(r.reasons) == 0 {
		return nil
	}
	return &r
}

// amount is what of a capacity is used.
type amount struct{ used, capacity int64 }

// leastAllocated is the mean of what is free: 4 of 10 cores and 2 of 10 GB used: (60 + 80) / 2 = 70.
func leastAllocated(amounts []amount) int64 {
	var sum, n int64
	for _, a := range amounts {
		if a.capacity == 0 {
			continue
		}
		n++
		if a.used <= a.capacity {
			sum += (a.capacity - a.used) * maxScore / a.capacity
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

// balance is 100 less the standard deviation of the used parts: 40 % and 20 %: 100 - 10 = 90.
func balance(amounts []amount) int64 {
	var fractions []float64
	total := 0.0
	for _, a := range amounts {
		if a.capacity == 0 {
			continue
		}
		f := min(1, float64(a.used)/float64(a.capacity))
		fractions = append(fractions, f)
		total += f
	}
	deviation := 0.0
	switch len(fractions) {
	case 0, 1:
	case 2:
		deviation = math.Abs((fractions[0] - fractions[1]) / 2)
	default:
		mean := total / float64(len(fractions))
		for _, f := range fractions {
			deviation += (f - mean) * (f - mean)
		}
		deviation = math.Sqrt(deviation / float64(len(fractions)))
	}
	return int64((1 - deviation) * maxScore)
}
