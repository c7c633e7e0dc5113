package kustomize

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Explained is an object of a build's output with the past of its fields.
type Explained struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Namespace  string           `json:"namespace,omitempty"`
	Name       string           `json:"name"`
	Fields     []ExplainedField `json:"fields"`
}

// ExplainedField is one leaf: a scalar, or an empty mapping or list.
type ExplainedField struct {
	// Path is a field path as replacements write it.
	Path  string `json:"path"`
	Value any    `json:"value"`
	// History tells what made the field and what changed it, in order.
	History []Change `json:"history"`
	steps   []string
}

// Change is one step's work on a field.
type Change struct {
	// By is the field of the kustomization that did it, with the place in its list; or what the end of the build does.
	By string `json:"by"`
	// File and Line are where the value stands. Line is 0 where no line is known.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Config and ConfigLine are the entry of the kustomization that asked for it.
	Config     string `json:"configuredIn,omitempty"`
	ConfigLine int    `json:"configuredAtLine,omitempty"`
	Note       string `json:"note,omitempty"`
	// Value is what the field held then.
	Value any `json:"value"`
}

// Explain tells where the fields of a build's objects came from. at limits the answer, as KIND/NAME[.field.path]; an object
// may also be named as before its name was changed.
func (t *Trace) Explain(objects []*Object, at string) ([]Explained, error) {
	all := objects
	kind, rest, _ := strings.Cut(at, "/")
	var steps []string
	if at != "" {
		var err error
		if objects, steps, err = chooseObjects(objects, kind, rest); err != nil {
			return nil, err
		}
	}
	var out []Explained
	for _, o := range objects {
		e := Explained{APIVersion: o.APIVersion(), Kind: o.Kind(), Namespace: o.Namespace(), Name: o.Name()}
		l := live(o.root, t.objects[o], mergeField{typ: typeOf(o.root)}, &cause{by: "the end of the build", entry: -1})
		e.walk(o, l, mergeField{typ: typeOf(o.root)}, nil, nil)
		e.Fields = slices.DeleteFunc(e.Fields, func(f ExplainedField) bool { return !below(f.steps, steps) })
		if len(e.Fields) == 0 {
			return nil, fmt.Errorf("%s/%s has no field %s", e.Kind, e.Name, strings.Join(steps, "."))
		}
		out = append(out, e)
	}
	nameReferences(all, out)
	return out, nil
}

// chooseObjects finds what KIND/NAME[.field.path] means: names may have dots, so the longest one wins.
func chooseObjects(objects []*Object, kind, rest string) (found []*Object, steps []string, err error) {
	best := ""
	for _, o := range objects {
		if !strings.EqualFold(o.Kind(), kind) {
			continue
		}
		for _, name := range []string{o.Name(), o.orgID().name} {
			if rest != name && !strings.HasPrefix(rest, name+".") || len(name) < len(best) {
				continue
			}
			if len(name) > len(best) {
				best, found = name, nil
			}
			if !slices.Contains(found, o) {
				found = append(found, o)
			}
		}
	}
	if found == nil {
		return nil, nil, fmt.Errorf("no object %s/%s in the output: give KIND/NAME or KIND/NAME.field.path; there is %s", kind, rest, listed(objects))
	}
	if path := strings.TrimPrefix(rest[len(best):], "."); path != "" {
		steps = splitFieldPath(strings.ReplaceAll(strings.ReplaceAll(path, ".[", "["), "[", ".["))
	}
	return found, steps, nil
}

// maxListed is how many objects an error names.
const maxListed = 10

func listed(objects []*Object) string {
	var names []string
	for i, o := range objects {
		if i == maxListed {
			names = append(names, fmt.Sprintf("%d more", len(objects)-i))
			break
		}
		names = append(names, o.Kind()+"/"+o.Name())
	}
	return strings.Join(names, ", ")
}

// below tells whether a field is the asked one or part of it.
func below(field, asked []string) bool {
	if len(field) < len(asked) {
		return false
	}
	for i, step := range asked {
		if step != "*" && step != field[i] {
			return false
		}
	}
	return true
}

// walk collects the leaves. steps name items of lists by their keys, places by number.
func (e *Explained) walk(o *Object, l *lived, f mergeField, steps, places []string) {
	if len(l.node.items) == 0 {
		field := ExplainedField{Path: joinPath(steps), Value: plain(l.node), steps: slices.Clone(steps)}
		for _, t := range l.history {
			field.History = append(field.History, t.change(o, steps, places))
		}
		e.Fields = append(e.Fields, field)
		return
	}
	if l.node.kind == seqKind {
		for i, s := range itemSteps(l.node.items, f.keys) {
			e.walk(o, l.items[i], mergeField{typ: f.typ}, append(steps, s), append(places, strconv.Itoa(i)))
		}
		return
	}
	order := keyOrder(l.node.keys, naturalOrder)
	for at := range l.node.keys {
		if order != nil {
			at = order[at]
		}
		key := l.node.keys[at]
		e.walk(o, l.items[at], f.typ.field(key), append(steps, key), append(places, key))
	}
}

// joinPath writes steps as a field path.
func joinPath(steps []string) string {
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = s
		if !isListStep(s) {
			out[i] = strings.ReplaceAll(s, ".", `\.`)
		}
	}
	return strings.Join(out, ".")
}

// plain gives a value as JSON has it.
func plain(n *node) any {
	switch n.kind {
	case mapKind:
		m := make(map[string]any, len(n.keys))
		for i, k := range n.keys {
			m[k] = plain(n.items[i])
		}
		return m
	case seqKind:
		s := make([]any, len(n.items))
		for i, item := range n.items {
			s[i] = plain(item)
		}
		return s
	}
	v, err := n.scalar(false)
	if err != nil {
		return n.value
	}
	return v
}
