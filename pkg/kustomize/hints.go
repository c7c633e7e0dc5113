package kustomize

import (
	"fmt"
	"slices"
	"strings"
)

// nearest finds the name that another was probably meant to be, "" if none is like it.
func nearest(name string, names []string) string {
	best, least := "", len(name)/3+1
	for _, n := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d <= least && (best == "" || d < least) {
			best, least = n, d
		}
	}
	return best
}

// distance is how many letters must be put in, left out or changed to make one word of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}

// maxHints is how many resources an error names that may have been meant.
const maxHints = 3

// instead names resources that an identity which nothing has may have been meant to be: those with its name and those of its
// kind, the most alike first.
func (m *resMap) instead(i id) string {
	var named, alike []string
	names := map[string]string{}
	for _, o := range m.list {
		switch now := o.orgID(); {
		case now.name == i.name && i.name != "":
			named = append(named, now.String())
		case now.Kind == i.Kind || i.Kind == "":
			names[now.name] = now.String()
			alike = append(alike, now.name)
		}
	}
	near := nearest(i.name, alike)
	if near != "" {
		alike = append([]string{near}, slices.DeleteFunc(alike, func(n string) bool { return n == near })...)
	}
	if i.Kind == "" {
		// Of all kinds, only what is called alike says anything.
		alike = slices.DeleteFunc(alike, func(n string) bool { return n != near })
	}
	found := named
	for _, n := range alike {
		found = append(found, names[n])
	}
	if len(found) == 0 {
		return ""
	}
	if len(found) > maxHints {
		found = append(found[:maxHints:maxHints], fmt.Sprintf("%d more", len(found)-maxHints))
	}
	return "; there is " + strings.Join(found, ", ")
}

// from says where a resource was read, for errors.
func (o *Object) from() string {
	if o.source == "" {
		return ""
	}
	if o.generated || o.root.line == 0 {
		return " (from " + o.source + ")"
	}
	return fmt.Sprintf(" (from %s:%d)", o.source, o.root.line)
}

// position says where in a kustomization an entry stands, for errors.
func (t *target) position(field string, entry int) string {
	path := []any{field}
	if entry >= 0 {
		path = append(path, entry)
	}
	if _, line, found := t.lines.follow(path); found > 0 {
		return fmt.Sprintf("%s:%d", t.path, line)
	}
	return t.path
}
