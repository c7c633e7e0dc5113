package kustomize

import (
	"slices"
	"strings"
)

// listMerge merges one associative list: what the patch has comes first, in its order.
type listMerge struct {
	schemas     *schemas
	dest, patch *node
	item        mergeField
	keys        []string
}

func (m *listMerge) run() (*node, error) {
	values := m.values()
	if len(m.keys) > 1 {
		unify(values)
	}
	keys := m.validKeys(values)
	added := newSeq()
	for _, all := range values {
		of := m.pick(all, keys)
		v, err := m.mergeItem(keys, of)
		if err != nil {
			return nil, err
		}
		if v.isNull() || v.kind == mapKind && len(v.items) == 0 {
			if err := setElement(m.dest, nil, keys, of); err != nil {
				return nil, err
			}
			continue
		}
		for i, key := range keys {
			switch {
			case of[i] == "":
			case key == "":
				// An item that is its own key is made anew.
				v.assign(autoTag, of[i])
			case v.get(key) == nil:
				put(v, key, of[i])
			}
		}
		if err := setElement(added, v, keys, of); err != nil {
			return nil, err
		}
	}
	if len(values) == 0 {
		return m.dest, nil
	}
	return appendElements(added, m.dest, keys)
}

// values lists the keys' values of all items, those of the patch first.
func (m *listMerge) values() [][]string {
	var out [][]string
	seen := map[string]bool{}
	for _, list := range []*node{m.patch, m.dest} {
		if list == nil || list.kind != seqKind {
			continue
		}
		for _, item := range list.items {
			values := make([]string, len(m.keys))
			for i, key := range m.keys {
				if key == "" {
					values[i] = item.value
				} else if v := item.get(key); !v.isEmpty() {
					values[i] = v.value
				}
			}
			if id := strings.Join(values, "\x00"); !seen[id] {
				seen[id] = true
				out = append(out, values)
			}
		}
	}
	return out
}

// unify gives items that agree as far as both say the same values: a port without protocol is the one with it.
func unify(list [][]string) {
	for i := range list {
		first := list[i]
		for j := range list {
			if merged := agree(first, list[j]); merged != nil {
				list[i], list[j] = merged, merged
			}
		}
	}
}

func agree(a, b []string) []string {
	common := false
	out := make([]string, len(a))
	for i := range a {
		switch {
		case a[i] == b[i]:
			common = true
			out[i] = a[i]
		case a[i] != "" && b[i] != "":
			return nil
		case a[i] != "":
			out[i] = a[i]
		default:
			out[i] = b[i]
		}
	}
	if !common {
		return nil
	}
	return out
}

// validKeys are the keys that any item has a value for.
func (m *listMerge) validKeys(list [][]string) []string {
	var out []string
	for i, key := range m.keys {
		if slices.ContainsFunc(list, func(values []string) bool { return values[i] != "" }) {
			out = append(out, key)
		}
	}
	if out == nil {
		return m.keys
	}
	return out
}

func (m *listMerge) pick(values, keys []string) []string {
	out := make([]string, 0, len(keys))
	for i, key := range m.keys {
		if slices.Contains(keys, key) {
			out = append(out, values[i])
		}
	}
	return out
}

// mergeItem merges the items with these values.
func (m *listMerge) mergeItem(keys, values []string) (*node, error) {
	var k, v []string
	for i := range keys {
		if values[i] != "" {
			k, v = append(k, keys[i]), append(v, values[i])
		}
	}
	if k == nil {
		k, v = keys, values
	}
	return m.schemas.walk(findElement(m.dest, k, v), findElement(m.patch, k, v), m.item)
}

func findElement(list *node, keys, values []string) *node {
	if list == nil || list.kind != seqKind {
		return nil
	}
	for _, item := range list.items {
		if keys[0] == "" {
			if item.value == values[0] {
				return item
			}
			continue
		}
		if item.kind == mapKind && hasValues(item, keys, values) {
			return item
		}
	}
	return nil
}

func hasValues(item *node, keys, values []string) bool {
	for i, key := range keys {
		v := item.get(key)
		if v == nil || v.value != values[i] {
			return false
		}
	}
	return true
}

// setElement puts an item in the place of those that it matches, or at the end; nil removes them. Items without content go.
func setElement(list, v *node, keys, values []string) error {
	kept := make([]*node, 0, len(list.items)+1)
	found := false
	for _, item := range list.items {
		switch {
		case item.isNull() || item.kind == mapKind && len(item.items) == 0:
		case len(values) == 0:
			// An item without any key takes the place of all.
		case item.kind != mapKind && keys[0] != "" && len(values) > 0 && values[0] != "":
			kept = append(kept, item)
		case !matches(item, keys, values):
			kept = append(kept, item)
		default:
			found = true
			if v != nil {
				kept = append(kept, v)
			}
		}
	}
	if !found && !v.isNull() {
		kept = append(kept, v)
	}
	list.items = kept
	return nil
}

// matches is looser than hasValues: an empty value stands for any.
func matches(item *node, keys, values []string) bool {
	// Keys that there is no value for do not count.
	for i, value := range values {
		if keys[i] == "" {
			if item.kind != scalarKind || item.value != value {
				return false
			}
			continue
		}
		if v := item.get(keys[i]); v == nil || value != "" && v.value != value {
			return false
		}
	}
	return true
}

// appendElements adds the items of the document to those of the patch.
func appendElements(to, from *node, keys []string) (*node, error) {
	for _, item := range from.items {
		if keys[0] == "" {
			if err := setElement(to, item, keys, []string{item.value}); err != nil {
				return nil, err
			}
			continue
		}
		var values []string
		if err := sameKind(mapKind, item); err != nil {
			return nil, err
		}
		for _, key := range keys {
			v := item.get(key)
			if v == nil {
				to.items = append(to.items, item)
				continue
			}
			values = append(values, v.value)
		}
		if len(keys) > 1 {
			if err := setElement(to, nil, keys, values); err != nil {
				return nil, err
			}
		}
		if err := setElement(to, item, keys, values); err != nil {
			return nil, err
		}
	}
	return to, nil
}
