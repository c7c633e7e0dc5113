package kustomize

import (
	"strconv"
	"strings"
)

// pair is two items of an old and a new list that are taken for the same; -1 stands for none.
type pair struct{ old, now int }

// pairItems says which items of two lists belong together: those with the same merge keys where the schema knows them,
// those of one name where all have names, else equal ones in their order and what lies between them by place. The new
// items come in their order, each old one that is gone before the new one that it stood in front of.
func pairItems(old, now []*node, keys []string) []pair {
	if a, b := itemNames(old, keys), itemNames(now, keys); a != nil && b != nil {
		return pairNamed(a, b)
	}
	if a, b := itemNames(old, []string{"name"}), itemNames(now, []string{"name"}); a != nil && b != nil {
		return pairNamed(a, b)
	}
	return pairEqual(printed(old), printed(now))
}

// itemNames gives the values of the keys for each item, nil if they do not tell the items apart.
func itemNames(items []*node, keys []string) []string {
	if len(keys) == 0 || keys[0] == "" {
		return nil
	}
	names := make([]string, len(items))
	seen := make(map[string]bool, len(items))
	for i, item := range items {
		first := item.get(keys[0])
		if first == nil || first.kind != scalarKind {
			return nil
		}
		for _, key := range keys {
			names[i] += item.get(key).text() + "\x00"
		}
		if seen[names[i]] {
			return nil
		}
		seen[names[i]] = true
	}
	return names
}

func pairNamed(old, now []string) []pair {
	at := make(map[string]int, len(now))
	for i, name := range now {
		at[name] = i
	}
	was := make(map[string]int, len(old))
	var out []pair
	for i, name := range old {
		was[name] = i
		if _, ok := at[name]; !ok {
			out = append(out, pair{i, -1})
		}
	}
	for i, name := range now {
		if j, ok := was[name]; ok {
			out = append(out, pair{j, i})
		} else {
			out = append(out, pair{-1, i})
		}
	}
	return out
}

// printed gives each item a text that is equal for equal items.
func printed(items []*node) []string {
	out := make([]string, len(items))
	for i, item := range items {
		if data, err := appendJSON(nil, item); err == nil {
			out[i] = string(data)
		} else {
			out[i] = item.value
		}
	}
	return out
}

// pairEqual pairs the longest run of equal texts, and what is between two of them by place.
func pairEqual(old, now []string) []pair {
	var out []pair
	gap := func(i, iEnd, j, jEnd int) {
		for ; i < iEnd && j < jEnd; i, j = i+1, j+1 {
			out = append(out, pair{i, j})
		}
		for ; i < iEnd; i++ {
			out = append(out, pair{i, -1})
		}
		for ; j < jEnd; j++ {
			out = append(out, pair{-1, j})
		}
	}
	i, j := 0, 0
	for _, p := range common(old, now) {
		gap(i, p.old, j, p.now)
		out = append(out, p)
		i, j = p.old+1, p.now+1
	}
	gap(i, len(old), j, len(now))
	return out
}

// maxCells bounds the table of common: longer lists are compared at their ends alone.
const maxCells = 4_000_000

// common is a longest common subsequence.
func common(old, now []string) []pair {
	start := 0
	for start < len(old) && start < len(now) && old[start] == now[start] {
		start++
	}
	oldEnd, nowEnd := len(old), len(now)
	for oldEnd > start && nowEnd > start && old[oldEnd-1] == now[nowEnd-1] {
		oldEnd, nowEnd = oldEnd-1, nowEnd-1
	}
	var out []pair
	for i := range start {
		out = append(out, pair{i, i})
	}
	for _, p := range longest(old[start:oldEnd], now[start:nowEnd]) {
		out = append(out, pair{start + p.old, start + p.now})
	}
	for i := oldEnd; i < len(old); i++ {
		out = append(out, pair{i, nowEnd + i - oldEnd})
	}
	return out
}

func longest(a, b []string) []pair {
	if len(a)*len(b) == 0 || len(a)*len(b) > maxCells {
		return nil
	}
	width := len(b) + 1
	table := make([]int32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i*width+j] = table[(i+1)*width+j+1] + 1
			} else {
				table[i*width+j] = max(table[(i+1)*width+j], table[i*width+j+1])
			}
		}
	}
	var out []pair
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			out = append(out, pair{i, j})
			i, j = i+1, j+1
		case table[(i+1)*width+j] >= table[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return out
}

// itemSteps gives each item of a list its step in a field path: [key=value] where a key tells the items apart, else its place.
func itemSteps(items []*node, keys []string) []string {
	steps := make([]string, len(items))
	for _, key := range append(keys[:len(keys):len(keys)], "name") {
		if key == "" {
			continue
		}
		count := map[string]int{}
		for _, item := range items {
			count[item.get(key).text()]++
		}
		for i, item := range items {
			if v := item.get(key).text(); steps[i] == "" && v != "" && count[v] == 1 && !strings.ContainsAny(v, "[]=") {
				steps[i] = "[" + key + "=" + v + "]"
			}
		}
	}
	for i := range steps {
		if steps[i] == "" {
			steps[i] = strconv.Itoa(i)
		}
	}
	return steps
}

// typeOf gives the type of a built-in kind, nil for any other: lists of those are compared by name.
func typeOf(n *node) *mergeType {
	return mergeSchema().kinds[n.get("apiVersion").text()+":"+n.get("kind").text()]
}
