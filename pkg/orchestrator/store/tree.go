package store

// element is what a tree holds: things that know their order among each other.
type element[E any] interface{ order(other E) int }

// node is a persistent weight-balanced tree; nil is the empty one. No node ever changes: put and remove give a new root
// that shares all but a path with the old, so that every revision's state is one pointer. Sizes make ranks cheap.
type node[E element[E]] struct {
	e           E
	left, right *node[E]
	size        int
}

// The weights of Adams' trees: a side may weigh delta times the other; ratio decides between single and double rotation.
const (
	delta = 3
	ratio = 2
)

func (n *node[E]) len() int {
	if n == nil {
		return 0
	}
	return n.size
}

func join[E element[E]](left *node[E], e E, right *node[E]) *node[E] {
	return &node[E]{e: e, left: left, right: right, size: left.len() + right.len() + 1}
}

// balance joins two sides of which one may be heavier by one change.
func balance[E element[E]](l *node[E], e E, r *node[E]) *node[E] {
	switch {
	case l.len()+r.len() <= 1:
		return join(l, e, r)
	case r.len() > delta*l.len():
		if r.left.len() < ratio*r.right.len() {
			return join(join(l, e, r.left), r.e, r.right)
		}
		return join(join(l, e, r.left.left), r.left.e, join(r.left.right, r.e, r.right))
	case l.len() > delta*r.len():
		if l.right.len() < ratio*l.left.len() {
			return join(l.left, l.e, join(l.right, e, r))
		}
		return join(join(l.left, l.e, l.right.left), l.right.e, join(l.right.right, e, r))
	}
	return join(l, e, r)
}

// put gives the tree with e in it, in place of its equal.
func (n *node[E]) put(e E) *node[E] {
	if n == nil {
		return join(nil, e, nil)
	}
	switch c := e.order(n.e); {
	case c < 0:
		return balance(n.left.put(e), n.e, n.right)
	case c > 0:
		return balance(n.left, n.e, n.right.put(e))
	}
	return join(n.left, e, n.right)
}

// remove gives the tree without e's equal.
func (n *node[E]) remove(e E) *node[E] {
	if n == nil {
		return nil
	}
	switch c := e.order(n.e); {
	case c < 0:
		return balance(n.left.remove(e), n.e, n.right)
	case c > 0:
		return balance(n.left, n.e, n.right.remove(e))
	case n.left == nil:
		return n.right
	case n.right == nil:
		return n.left
	}
	first := n.right
	for first.left != nil {
		first = first.left
	}
	return balance(n.left, first.e, n.right.remove(first.e))
}

// from yields the elements for which at holds, in order; at must be false up to some element and true from there on. It
// returns false once yield did.
func (n *node[E]) from(at func(E) bool, yield func(E) bool) bool {
	if n == nil {
		return true
	}
	if !at(n.e) {
		return n.right.from(at, yield)
	}
	return n.left.from(at, yield) && yield(n.e) && n.right.all(yield)
}

func (n *node[E]) all(yield func(E) bool) bool {
	return n == nil || n.left.all(yield) && yield(n.e) && n.right.all(yield)
}

// rank counts the elements before the first for which at holds.
func (n *node[E]) rank(at func(E) bool) int {
	before := 0
	for n != nil {
		if at(n.e) {
			n = n.left
		} else {
			before += n.left.len() + 1
			n = n.right
		}
	}
	return before
}

// build makes a tree of elements that are in order already.
func build[E element[E]](sorted []E) *node[E] {
	if len(sorted) == 0 {
		return nil
	}
	mid := len(sorted) / 2
	return join(build(sorted[:mid]), sorted[mid], build(sorted[mid+1:]))
}
