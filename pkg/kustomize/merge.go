package kustomize

import (
	"errors"
	"fmt"
	"slices"
	"sort"
)

// strategicMerge merges a patch into a document in place and gives the result, nil if the patch deletes it. It follows
// kustomize step by step, also where it goes over the parts that the patch leaves alone.
func (s *schemas) strategicMerge(dest, patch *node) (*node, error) {
	return s.walk(dest, patch, mergeField{})
}

// walk merges one value. A nil result clears it, and so does null unless it was there before.
func (s *schemas) walk(dest, patch *node, f mergeField) (*node, error) {
	if f.typ == nil && !f.list {
		if f.typ = s.of(dest); f.typ == nil {
			f.typ = s.of(patch)
		}
	}
	lead := dest
	if lead.isNull() {
		lead = patch
	}
	if dest != nil && patch != nil && dest.kind != scalarKind && len(dest.items) == 0 {
		// What was empty takes the braces of what comes, or gets none.
		dest.style = patch.style
	}
	switch {
	case lead.isNull() || lead.kind == mapKind:
		if err := sameKind(mapKind, dest, patch); err != nil {
			return nil, err
		}
		dest.takeComments(patch)
		return s.walkMap(dest, patch, f.typ)
	case lead.kind == seqKind:
		if err := sameKind(seqKind, dest, patch); err != nil {
			return nil, err
		}
		if f.list {
			return s.walkList(dest, patch, f)
		}
	default:
		if err := sameKind(scalarKind, dest, patch); err != nil {
			return nil, err
		}
	}
	if patch != nil {
		return patch, nil
	}
	return dest, nil
}

func sameKind(k kind, nodes ...*node) error {
	names := [...]string{"ScalarNode", "MappingNode", "SequenceNode"}
	for _, n := range nodes {
		if !n.isNull() && n.kind != k {
			return fmt.Errorf("wrong node kind: expected %s but got %s (line %d)", names[k], names[n.kind], n.line)
		}
	}
	return nil
}

type directive uint8

const (
	mergeDirective directive = iota
	replaceDirective
	deleteDirective
)

const patchKey = "$patch"

// takeDirective reads $patch from a patch and removes it.
func takeDirective(patch *node) (directive, error) {
	switch {
	case patch == nil:
		return mergeDirective, nil
	case patch.kind == mapKind:
		v := patch.get(patchKey)
		if v.isNull() {
			return mergeDirective, nil
		}
		d, err := parseDirective(v.value)
		if err == nil {
			patch.remove(patchKey)
		}
		return d, err
	case patch.kind == seqKind:
		for _, item := range patch.items {
			v := item.get(patchKey)
			if v == nil {
				continue
			}
			// With more beside it, the directive is not the list's but the item's.
			if len(item.items) > 1 {
				return mergeDirective, nil
			}
			d, err := parseDirective(v.value)
			if err == nil {
				patch.items = slices.DeleteFunc(patch.items, func(i *node) bool {
					at := i.get(patchKey)
					return i.isEmpty() || at != nil && at.value == v.value
				})
			}
			return d, err
		}
		return mergeDirective, nil
	}
	return mergeDirective, errors.New("no strategic merge patch strategy for a scalar")
}

func parseDirective(s string) (directive, error) {
	switch s {
	case "merge":
		return mergeDirective, nil
	case "replace":
		return replaceDirective, nil
	case "delete":
		return deleteDirective, nil
	}
	return mergeDirective, fmt.Errorf("unknown patch strategy '%s'", s)
}

func (s *schemas) walkMap(dest, patch *node, t *mergeType) (*node, error) {
	dest, err := startMap(dest, patch)
	if dest == nil || err != nil || dest.kind != mapKind {
		return dest, err
	}
	if err := errors.Join(dest.scalarKeys(), patch.scalarKeys()); err != nil {
		return nil, err
	}
	if patch == nil && t == nil {
		return dest, s.cleanMap(dest)
	}
	for _, key := range fieldNames(dest, patch) {
		old, from := dest.get(key), patch.get(key)
		v, err := s.walk(old, from, t.field(key))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		switch {
		case v == nil || v.isNull() && from != nil:
			dest.remove(key)
		case v.isNull():
			// What was null before stays.
			dest.set(key, newScalar(nullTag, v.value))
		default:
			v.takeStyle(old)
			bare, quoting := v.bareKey, v.look&keyQuotes
			dest.set(key, v)
			if old == nil {
				// A new key comes with its quotes.
				v.bareKey, v.look = bare, v.look|quoting
			}
		}
	}
	return dest, nil
}

// takeStyle gives a merged value the style that the field had. A string that stays or is new gets quotes if it needs them.
func (n *node) takeStyle(old *node) {
	switch {
	case old != nil && old != n:
		n.style = old.style
	case n.kind == scalarKind && n.style == plainStyle && (n.tag == strTag || n.tag == autoTag) && nonString(n.value):
		n.style = doubleStyle
	}
}

// startMap says what the fields are merged into.
func startMap(dest, patch *node) (*node, error) {
	if dest.isNull() {
		if d, _ := takeDirective(patch); d == deleteDirective {
			return nil, nil
		}
		if patch == nil && dest != nil && dest.value != "" {
			return dest, nil
		}
		return patch, nil
	}
	if patch != nil && patch.isNull() {
		return nil, nil
	}
	d, err := takeDirective(patch)
	switch {
	case err != nil || d == deleteDirective:
		return nil, err
	case d == replaceDirective:
		return patch, nil
	}
	return dest, nil
}

// cleanMap does to an untouched object what a merge with nothing does: a field without any value goes.
func (s *schemas) cleanMap(n *node) error {
	if err := n.scalarKeys(); err != nil {
		return err
	}
	for i := 0; i < len(n.items); i++ {
		v := n.items[i]
		switch {
		case v.isNull() && v.value == "":
			n.remove(n.keys[i])
			i--
		case v.isNull():
			// kustomize puts a new one in its place.
			v.more = nil
		case v.kind == scalarKind:
			v.takeStyle(v)
		case v.kind == mapKind:
			if t := s.of(v); t != nil {
				if _, err := s.walkMap(v, nil, t); err != nil {
					return err
				}
			} else if err := s.cleanMap(v); err != nil {
				return err
			}
		}
	}
	return nil
}

func fieldNames(dest, patch *node) []string {
	names := append([]string(nil), dest.keys...)
	if patch != nil && patch != dest {
		for _, k := range patch.keys {
			if dest.find(k) < 0 {
				names = append(names, k)
			}
		}
	}
	sort.Strings(names)
	return names
}

// walkList merges a list whose items are told apart by keys, or by value.
func (s *schemas) walkList(dest, patch *node, f mergeField) (*node, error) {
	dest, err := startList(dest, patch)
	if dest == nil || err != nil {
		return nil, err
	}
	m := listMerge{schemas: s, dest: dest, patch: patch, item: mergeField{typ: f.typ}, keys: f.keys}
	if len(f.keys) == 0 {
		m.keys = []string{""}
	}
	return m.run()
}

func startList(dest, patch *node) (*node, error) {
	if dest.isNull() {
		return patch, nil
	}
	if patch != nil && patch.isNull() {
		return nil, nil
	}
	d, err := takeDirective(patch)
	switch {
	case err != nil || d == deleteDirective:
		return nil, err
	case d == replaceDirective:
		return patch, nil
	}
	return dest, nil
}
