package kustomize

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	jsonpatch "github.com/evanphx/json-patch"
)

// A JSON patch works on JSON, but most of a large object (the schema of a CRD) is none of its business. So the fields that
// no path of the patch leads to are put aside first, and put back as if they had gone through JSON with the rest.

// fieldPaths gives the paths that a patch reads or writes; ok is false if one cannot be read.
func fieldPaths(ops jsonpatch.Patch) (paths [][]string, ok bool) {
	decode := strings.NewReplacer("~1", "/", "~0", "~")
	for _, op := range ops {
		for _, name := range []string{"path", "from"} {
			raw := op[name]
			if raw == nil {
				continue
			}
			var path string
			if err := json.Unmarshal(*raw, &path); err != nil {
				return nil, false
			}
			steps := strings.Split(path, "/")[1:]
			for i := range steps {
				steps[i] = decode.Replace(steps[i])
			}
			paths = append(paths, steps)
		}
	}
	return paths, true
}

// aside holds the fields of a mapping that were put aside, and what was put aside in the fields that stayed.
type aside struct {
	keys  []string
	items []*node
	below map[string]*aside
	// flow holds if they stood in braces, at whatever depth.
	flow bool
}

// prune gives a mapping without the fields that no path leads to. The mapping itself stays as it is.
func prune(n *node, paths [][]string, flow bool) (*node, *aside) {
	next := map[string][][]string{}
	for _, p := range paths {
		if len(p) == 0 {
			return n, nil
		}
		next[p[0]] = append(next[p[0]], p[1:])
	}
	kept, away := newMap(), &aside{below: map[string]*aside{}, flow: flow || n.braced()}
	kept.style = n.style
	for i, key := range n.keys {
		item := n.items[i]
		more, touched := next[key]
		switch {
		case !touched:
			away.keys, away.items = append(away.keys, key), append(away.items, item)
			continue
		case item != nil && item.kind == mapKind:
			item, away.below[key] = prune(item, more, away.flow)
		}
		kept.add(key, item)
	}
	return kept, away
}

// restore puts the fields back.
func (a *aside) restore(n *node) error {
	if a == nil {
		return nil
	}
	for i, key := range a.keys {
		item, err := a.items[i].throughJSON(a.flow)
		if err != nil {
			return err
		}
		n.add(key, item)
	}
	if len(a.keys) > 0 {
		n.style = plainStyle
	}
	for key, below := range a.below {
		if err := below.restore(n.get(key)); err != nil {
			return err
		}
	}
	return nil
}

// throughJSON makes of a value what is left of it after it was written as JSON and read again.
func (n *node) throughJSON(flow bool) (*node, error) {
	switch {
	case n == nil:
		return newScalar(nullTag, "null"), nil
	case n.kind == scalarKind:
		if s, ok := n.string(); ok && utf8.ValidString(s) {
			return fromText(s), nil
		}
		text, err := appendValue(nil, n, flow)
		if err != nil {
			return nil, err
		}
		return fromJSON(text)
	}
	flow = flow || n.braced()
	n.bareKey, n.style = false, emptyStyle(len(n.items))
	for i, item := range n.items {
		var err error
		if n.items[i], err = item.throughJSON(flow); err != nil {
			return nil, err
		}
	}
	return n, nil
}
