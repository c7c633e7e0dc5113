package kustomize

import (
	"slices"
	"strings"
)

// Trace notes where the fields of a build's output came from: after each step of the build it compares every object with
// what it was. A build that has none in its Options pays nothing for it.
type Trace struct {
	objects map[*Object]*lived
	at      *target
}

// NewTrace makes an empty trace, good for one build.
func NewTrace() *Trace { return &Trace{objects: map[*Object]*lived{}} }

// What the end of a build does to names, as traces call it.
const (
	byHash      = "content hash"
	byReference = "name reference"
)

// cause is one thing that a build does to its objects.
type cause struct {
	// by names it: the field of a kustomization, or what the end of the build does. entry is the place in that field's
	// list, -1 if it is none.
	by    string
	entry int
	// where is the kustomization that asked for it.
	where *target
	// file is what an object was read from, note what else there is to say.
	file, note string
}

// touch is one cause's work on one field.
type touch struct {
	*cause
	line  int
	value *node
}

// lived is a value with its past. Its items mirror those of the node; leaves alone have a history.
type lived struct {
	node    *node
	items   []*lived
	history []touch
}

// enter says which kustomization the next steps are of.
func (m *resMap) enter(t *target) {
	if m.trace != nil {
		m.trace.at = t
	}
}

// touch says that the step at work changes an object. Those that change a few of many say so, the others are looked after.
func (m *resMap) touch(o *Object) {
	if m.trace != nil {
		m.touched = append(m.touched, o)
	}
}

// done ends a step of a field of the kustomization. No field is for a step that changes none.
func (m *resMap) done(by string, entry int, name string) {
	if m.trace == nil || by == "" {
		return
	}
	objects := m.list
	if strings.HasPrefix(by, "patches") || strings.HasSuffix(by, "Generator") || by == "helmCharts" {
		objects = m.touched
	}
	m.touched = nil
	c := &cause{by: by, entry: entry, where: m.trace.at}
	if by == "generators" || by == "transformers" {
		c.note = name
	}
	m.trace.note(objects, c)
}

// loaded ends the reading of objects that a resource names.
func (t *target) loaded(m *resMap, list []*Object, path, source string) {
	if m.trace != nil {
		m.trace.note(list, &cause{by: "resources", entry: slices.Index(t.k.Resources, path), where: t, file: source})
	}
}

func (t *Trace) note(objects []*Object, c *cause) {
	for _, o := range objects {
		old := t.objects[o]
		if old == nil || !sameTree(old.node, o.root) {
			t.objects[o] = live(o.root.copy(), old, mergeField{typ: typeOf(o.root)}, c)
		}
	}
}

func sameTree(a, b *node) bool {
	if a.kind != b.kind || a.tag != b.tag || a.value != b.value || len(a.items) != len(b.items) || !slices.Equal(a.keys, b.keys) {
		return false
	}
	for i, item := range a.items {
		if !sameTree(item, b.items[i]) {
			return false
		}
	}
	return true
}

// sameValue compares leaves as they will be written.
func sameValue(a, b *node) bool {
	if a.kind != b.kind {
		return false
	}
	return a.kind != scalarKind || plain(a) == plain(b)
}

// live gives a value the past of what it was before, and adds the step to whatever that changed.
func live(n *node, old *lived, f mergeField, c *cause) *lived {
	l := &lived{node: n}
	if old != nil && old.node.kind != n.kind {
		old = nil
	}
	if n.kind == scalarKind || len(n.items) == 0 {
		if old != nil && len(old.node.items) == 0 {
			l.history = old.history
		}
		if len(l.history) == 0 || !sameValue(old.node, n) {
			l.history = append(slices.Clip(l.history), touch{c, int(n.line), n})
		}
		return l
	}
	l.items = make([]*lived, len(n.items))
	if n.kind == mapKind {
		for i, key := range n.keys {
			l.items[i] = live(n.items[i], old.field(key), f.typ.field(key), c)
		}
		return l
	}
	was := make([]*lived, len(n.items))
	if old != nil {
		for _, p := range pairItems(old.node.items, n.items, f.keys) {
			if p.old >= 0 && p.now >= 0 {
				was[p.now] = old.items[p.old]
			}
		}
	}
	for i, item := range n.items {
		l.items[i] = live(item, was[i], mergeField{typ: f.typ}, c)
	}
	return l
}

func (l *lived) field(key string) *lived {
	if l == nil {
		return nil
	}
	if i := l.node.find(key); i >= 0 {
		return l.items[i]
	}
	return nil
}
