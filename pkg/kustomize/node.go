package kustomize

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// kind is the shape of a node.
type kind uint8

const (
	scalarKind kind = iota
	mapKind
	seqKind
)

// tag is what a scalar stands for. An auto scalar is a string that transformers put in without saying so: as long as it
// is not quoted, it is read again when it is written, so "1" becomes a number, as in kustomize.
type tag uint8

const (
	autoTag tag = iota
	strTag
	intTag
	floatTag
	boolTag
	nullTag
	timeTag
	binaryTag
	// otherTag is one that the document brings along: what it stands for is text, but no variable is replaced in it.
	otherTag
)

// node is a value of a document: a scalar, a mapping or a sequence. Comments and anchors are gone, unless it is read with marks.
type node struct {
	kind  kind
	tag   tag
	style style
	// bareKey holds for a value whose key was put in without quotes, whatever it looks like.
	bareKey bool
	look    look
	value   string
	// line is where it stands in the file, and before the lines of the file before its document.
	line, before int32
	// keys belong to the items of a mapping; a sequence has items alone.
	keys  []string
	items []*node
	// more is nil for nearly all.
	more *more
}

// more is what few nodes have.
type more struct {
	// index finds the fields of a large mapping.
	index map[string]int
	// read is what the library read, of a document that is read with marks.
	read *yaml.Node
}

// indexed mappings have at least this many fields.
const indexed = 32

func newMap() *node               { return &node{kind: mapKind} }
func newSeq(items ...*node) *node { return &node{kind: seqKind, items: items} }
func newAuto(s string) *node      { return &node{tag: autoTag, value: s} }

// newString is a string, in quotes if it needs them: it keeps them when it is changed.
func newString(s string) *node {
	n := &node{tag: strTag, value: s}
	if nonString(s) {
		n.style = doubleStyle
	}
	return n
}

// newText is a string that kustomize writes below a "|" if it has several lines.
func newText(s string) *node {
	n := newString(s)
	if strings.IndexByte(s, '\n') >= 0 {
		n.style = literalStyle
	}
	return n
}

func newScalar(t tag, s string) *node { return &node{tag: t, value: s} }

// isNull also holds for a collection with the tag of null.
func (n *node) isNull() bool { return n == nil || n.tag == nullTag }

// isEmpty holds for what kustomize drops: nothing, null, an empty mapping or sequence.
func (n *node) isEmpty() bool {
	return n.isNull() || n.kind != scalarKind && len(n.items) == 0
}

func (n *node) find(key string) int {
	if n == nil || n.kind != mapKind {
		return -1
	}
	if len(n.keys) < indexed {
		for i, k := range n.keys {
			if k == key {
				return i
			}
		}
		return -1
	}
	if n.more == nil {
		n.more = &more{}
	}
	if n.more.index == nil {
		n.more.index = make(map[string]int, len(n.keys))
		for i, k := range n.keys {
			if _, ok := n.more.index[k]; !ok {
				n.more.index[k] = i
			}
		}
	}
	if i, ok := n.more.index[key]; ok {
		return i
	}
	return -1
}

// unindex forgets the index, after a change of fields that it does not know.
func (n *node) unindex() {
	switch {
	case n.more == nil:
	case n.more.read == nil:
		n.more = nil
	default:
		n.more = &more{read: n.more.read}
	}
}

// get gives the value of a field, nil if there is none.
func (n *node) get(key string) *node {
	if i := n.find(key); i >= 0 {
		return n.items[i]
	}
	return nil
}

// at follows fields of mappings.
func (n *node) at(path ...string) *node {
	for _, p := range path {
		n = n.get(p)
	}
	return n
}

// set gives a field a value. As in kustomize a value takes the style of the old one, and what other fields share with this one changes
// with it.
func (n *node) set(key string, v *node) {
	if i := n.find(key); i >= 0 {
		old := n.items[i]
		v.style = old.style
		old.become(v)
		return
	}
	v.bareKey, v.look = true, v.look&^keyLook|madeKey
	n.add(key, v)
}

// add appends a field that is known to be new.
func (n *node) add(key string, v *node) {
	if n.more != nil && n.more.index != nil {
		n.more.index[key] = len(n.keys)
	}
	n.keys = append(n.keys, key)
	n.items = append(n.items, v)
}

func (n *node) remove(key string) {
	i := n.find(key)
	if i < 0 {
		return
	}
	n.keys = append(n.keys[:i], n.keys[i+1:]...)
	n.items = append(n.items[:i], n.items[i+1:]...)
	n.unindex()
}

// ensureMap gives the mapping in a field, making one where there is none or null.
func (n *node) ensureMap(key string) *node {
	v := n.get(key)
	if v.isNull() {
		n.set(key, newMap())
		v = n.get(key)
	}
	return v
}

// text is the value of a scalar as written, "" for anything else.
func (n *node) text() string {
	if n.isNull() {
		return ""
	}
	return n.value
}

// word is the value of a scalar as written, even of null: so kustomize reads kinds and API versions.
func (n *node) word() string {
	if n == nil {
		return ""
	}
	return n.value
}

func (n *node) copy() *node {
	if n == nil {
		return nil
	}
	c := *n
	c.unindex()
	if n.keys != nil {
		c.keys = append([]string(nil), n.keys...)
	}
	if n.items != nil {
		c.items = make([]*node, len(n.items))
		for i, item := range n.items {
			c.items[i] = item.copy()
		}
	}
	return &c
}

// doubled holds for a mapping that had a key twice.
func (n *node) doubled() bool { return n.look&doubledKey != 0 }

// quoted holds for a scalar that is written in any way but plain.
func (n *node) quoted() bool { return n.style&quotes != 0 }

// braced holds for a collection in braces or brackets.
func (n *node) braced() bool { return n != nil && n.kind != scalarKind && n.style&flowStyle != 0 }

// assign sets a scalar, keeping its quotes as kustomize keeps its style.
func (n *node) assign(t tag, s string) {
	n.kind, n.tag, n.value, n.keys, n.items, n.more = scalarKind, t, s, nil, nil, nil
	n.look |= assigned
}

// become takes the shape of another node in the place of this one.
func (n *node) become(o *node) {
	bare, key := n.bareKey, n.look&keyLook
	*n = *o
	n.bareKey, n.look = bare, n.look&^keyLook|key
}
