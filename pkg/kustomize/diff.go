package kustomize

import (
	"slices"
	"strings"
)

// Kinds of differences.
const (
	Added     = "added"
	Removed   = "removed"
	Changed   = "changed"
	Reordered = "reordered"
)

// Difference is an object that two builds do not have alike.
type Difference struct {
	Change     string `json:"change"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	// Fields are those of an object that both builds have.
	Fields []FieldDifference `json:"fields,omitempty"`
	// Object is the whole of one that only one build has.
	Object any `json:"object,omitempty"`
}

// FieldDifference is a field that an object does not have alike in two builds.
type FieldDifference struct {
	Change string `json:"change"`
	// Path is a field path as replacements write it.
	Path string `json:"path"`
	// From and To are the values, of a list in another order the names of its items.
	From any `json:"from,omitempty"`
	To   any `json:"to,omitempty"`
}

// Diff compares what two builds made, object by object and field by field. Objects are told apart by kind, namespace and
// name; a name that ends in a hash of the content stands for the name without it. The order of objects does not count.
func Diff(old, now []*Object) []Difference {
	partner := partners(old, now)
	var out []Difference
	for _, o := range now {
		was := partner[o]
		if was == nil {
			out = append(out, difference(Added, o))
			continue
		}
		c := comparison{}
		c.compare(was.root, o.root, mergeField{typ: typeOf(o.root)}, nil)
		if len(c.fields) > 0 {
			d := difference(Changed, o)
			d.Fields, d.Object = c.fields, nil
			out = append(out, d)
		}
		delete(partner, o)
		partner[was] = o
	}
	for _, o := range old {
		if partner[o] == nil {
			out = append(out, difference(Removed, o))
		}
	}
	return out
}

func difference(change string, o *Object) Difference {
	return Difference{Change: change, APIVersion: o.APIVersion(), Kind: o.Kind(), Namespace: o.Namespace(), Name: o.Name(), Object: plain(o.root)}
}

// partners finds for each new object the old one that it is a version of: of the same name, else of the same name but for
// the hash, else of the same name before prefixes and namespaces were put on it.
func partners(old, now []*Object) map[*Object]*Object {
	out := make(map[*Object]*Object, len(now))
	taken := make(map[*Object]bool, len(old))
	for _, key := range []func(*Object) id{(*Object).id, (*Object).unhashed, (*Object).orgID} {
		was := unique(old, key, func(o *Object) bool { return taken[o] })
		is := unique(now, key, func(o *Object) bool { return out[o] != nil })
		for i, o := range is {
			if w := was[i]; o != nil && w != nil {
				out[o], taken[w] = w, true
			}
		}
	}
	return out
}

// unique finds the objects that are alone under a key, of any version; nil stands for several. Those with a partner are
// left out.
func unique(objects []*Object, key func(*Object) id, paired func(*Object) bool) map[id]*Object {
	found := make(map[id]*Object, len(objects))
	for _, o := range objects {
		if paired(o) {
			continue
		}
		i := key(o)
		i.Version = ""
		if _, ok := found[i]; ok {
			o = nil
		}
		found[i] = o
	}
	return found
}

// unhashed is the identity without the hash that the end of the build put behind the name.
func (o *Object) unhashed() id {
	i := o.id()
	if o.needsHash && len(o.past) > 0 {
		i.name = o.past[len(o.past)-1].name
	}
	return i
}

// comparison collects the fields that differ.
type comparison struct{ fields []FieldDifference }

func (c *comparison) add(change string, steps []string, from, to any) {
	c.fields = append(c.fields, FieldDifference{Change: change, Path: joinPath(steps), From: from, To: to})
}

func (c *comparison) compare(old, now *node, f mergeField, steps []string) {
	switch {
	case old.kind != now.kind || old.kind == scalarKind:
		if !sameValue(old, now) {
			c.add(Changed, steps, plain(old), plain(now))
		}
	case now.kind == mapKind:
		c.mappings(old, now, f, steps)
	default:
		c.lists(old, now, f, steps)
	}
}

func (c *comparison) mappings(old, now *node, f mergeField, steps []string) {
	keys := slices.Concat(now.keys, slices.DeleteFunc(slices.Clone(old.keys), func(k string) bool { return now.find(k) >= 0 }))
	slices.SortStableFunc(keys, byNature)
	for _, key := range keys {
		at := append(slices.Clip(steps), key)
		switch a, b := old.get(key), now.get(key); {
		case a == nil:
			c.add(Added, at, nil, plain(b))
		case b == nil:
			c.add(Removed, at, plain(a), nil)
		default:
			c.compare(a, b, f.typ.field(key), at)
		}
	}
}

func byNature(a, b string) int {
	switch {
	case naturalLess(a, b):
		return -1
	case naturalLess(b, a):
		return 1
	}
	return 0
}

func (c *comparison) lists(old, now *node, f mergeField, steps []string) {
	was, is := itemSteps(old.items, f.keys), itemSteps(now.items, f.keys)
	last, moved := -1, false
	for _, p := range pairItems(old.items, now.items, f.keys) {
		switch {
		case p.old < 0:
			c.add(Added, append(slices.Clip(steps), is[p.now]), nil, plain(now.items[p.now]))
		case p.now < 0:
			c.add(Removed, append(slices.Clip(steps), was[p.old]), plain(old.items[p.old]), nil)
		default:
			moved = moved || p.old < last
			last = max(last, p.old)
			c.compare(old.items[p.old], now.items[p.now], mergeField{typ: f.typ}, append(slices.Clip(steps), is[p.now]))
		}
	}
	if moved {
		c.add(Reordered, steps, was, is)
	}
}

// LineDifference is a line of two texts: of both if it has no change.
type LineDifference struct{ Change, Text string }

// DiffLines compares two texts line by line. The texts' last line break counts as a line of its own if only one has it.
func DiffLines(old, now string) []LineDifference {
	a, b := strings.Split(old, "\n"), strings.Split(now, "\n")
	if a[len(a)-1] == "" && b[len(b)-1] == "" {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var out []LineDifference
	i, j := 0, 0
	for _, p := range append(common(a, b), pair{len(a), len(b)}) {
		for ; i < p.old; i++ {
			out = append(out, LineDifference{Removed, a[i]})
		}
		for ; j < p.now; j++ {
			out = append(out, LineDifference{Added, b[j]})
		}
		if i < len(a) && j < len(b) {
			out = append(out, LineDifference{Text: a[i]})
		}
		i, j = i+1, j+1
	}
	return out
}
