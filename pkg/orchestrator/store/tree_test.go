package store

import (
	"math/rand/v2"
	"slices"
	"testing"
)

type number int

func (n number) order(other number) int { return int(n - other) }

func (n *node[E]) depth() int {
	if n == nil {
		return 0
	}
	return 1 + max(n.left.depth(), n.right.depth())
}

func elements(n *node[number]) []number {
	out := []number{}
	n.all(func(e number) bool { out = append(out, e); return true })
	return out
}

// TestTree compares a tree with a sorted slice through random changes, and every old root with what it was.
func TestTree(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var root *node[number]
	want := []number{}
	var roots []*node[number]
	var states [][]number
	for step := range 2000 {
		e := number(random.IntN(300))
		i, found := slices.BinarySearch(want, e)
		if random.IntN(5) < 2 {
			root = root.remove(e)
			if found {
				want = slices.Delete(slices.Clone(want), i, i+1)
			}
		} else {
			root = root.put(e)
			if !found {
				want = slices.Insert(slices.Clone(want), i, e)
			}
		}
		if got := elements(root); !slices.Equal(got, want) || root.len() != len(want) {
			t.Fatalf("step %d: got %v of size %d, want %v", step, got, root.len(), want)
		}
		if step%100 == 0 {
			roots, states = append(roots, root), append(states, want)
		}
		at := func(x number) bool { return x >= e }
		if got, want := root.rank(at), lowerBound(want, e); got != want {
			t.Fatalf("step %d: rank of %d is %d, want %d", step, e, got, want)
		}
	}
	for i, r := range roots {
		if got := elements(r); !slices.Equal(got, states[i]) {
			t.Errorf("the root of step %d changed", i*100)
		}
	}
}

func lowerBound(sorted []number, e number) int {
	i, _ := slices.BinarySearch(sorted, e)
	return i
}

func TestTreeStaysShallow(t *testing.T) {
	var root *node[number]
	for i := range 1 << 14 {
		root = root.put(number(i))
	}
	if d := root.depth(); d > 24 {
		t.Errorf("a tree of 2^14 elements put in order is %d deep", d)
	}
	sorted := elements(root)
	if d := build(sorted).depth(); d != 15 {
		t.Errorf("a tree built of 2^14 elements is %d deep", d)
	}
	for i := range 1<<14 - 100 {
		root = root.remove(number(i))
	}
	if d := root.depth(); d > 12 || root.len() != 100 {
		t.Errorf("a tree of %d elements is %d deep", root.len(), d)
	}
}
