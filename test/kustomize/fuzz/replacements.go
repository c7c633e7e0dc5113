package main

import (
	"strconv"
	"strings"
)

func (g *grammar) replacement(dir string) *value {
	from := g.target()
	r := object()
	if g.chance(10) {
		r.put("sourceValue", g.text())
	} else {
		source := object("kind", from.kind, "name", from.name, "version", g.maybe(8, "v1"))
		if g.rarely(20) {
			source.drop(g.IntN(2))
		}
		if g.rarely(8) {
			source.put("namespace", "ns1")
		}
		if g.chance(75) {
			path := "metadata.name"
			if from.doc != nil {
				path = g.fieldPath(from.doc, false)
			}
			source.put("fieldPath", quoted(path))
		}
		if g.chance(20) {
			source.put("options", g.fieldOptions())
		}
		r.put("source", source)
	}
	r.put("targets", list(few(g, 2, func() *value {
		to := g.target()
		t := object("select", g.selector(to))
		if g.chance(15) {
			t.put("reject", list(object(pick(g, "name", "kind"), pick(g, to.name, to.kind, "app"))))
		}
		if g.chance(90) {
			t.put("fieldPaths", list(few(g, 2, func() *value {
				if to.doc == nil {
					return raw("metadata.name")
				}
				return raw(quoted(g.fieldPath(to.doc, true)))
			})...))
		}
		if g.chance(35) {
			t.put("options", g.fieldOptions())
		}
		return t
	})...))
	if g.chance(12) {
		return object("path", g.write(dir, "replacement", "yaml", &file{docs: []*value{pick(g, r, list(r))}}))
	}
	return r
}

func (g *grammar) fieldOptions() *value {
	o := object("delimiter", g.maybe(50, "'-'", "'.'", "'/'", "':'", "' '"), "create", g.maybe(50, "true"))
	if o.get("delimiter") != nil {
		o.put("index", g.maybe(60, "0", "1", "-1", "5"))
	}
	return o
}

// mergeKey is resolved before any path is followed. A path that makes it anew makes the real one merge it when it reads what it
// has written, which nobody can mean.
const mergeKey = "<<"

// fieldPath walks into a document and writes the way down as kustomize's paths do.
func (g *grammar) fieldPath(v *value, patterns bool) string {
	var steps []string
	for v.kind != scalar && len(v.items) > 0 && (len(steps) < 2 || g.chance(85)) {
		i := g.IntN(len(v.items))
		item := v.items[i]
		switch {
		case v.kind == mapping && v.keys[i] == mergeKey:
			return strings.Join(append(steps, "metadata"), ".")
		case v.kind == mapping:
			steps = append(steps, step(oneLine(v.keys[i])))
		case patterns && g.chance(30):
			steps = append(steps, "*")
		case item.get("name") != nil && g.chance(60):
			steps = append(steps, "[name="+oneLine(item.get("name").text)+"]")
		case item.kind == scalar && g.chance(30):
			steps = append(steps, "[="+oneLine(item.text)+"]")
		default:
			steps = append(steps, strconv.Itoa(i))
		}
		v = item
	}
	if patterns && g.rarely(30) {
		steps = append(steps, pick(g, "new", "a.b", "0", "-", "[name=new]", "new.0", "*"))
	}
	if v.kind == scalar && v.block != "" && g.rarely(50) {
		steps = append(steps, pick(g, "a", "c.0", "b.1", "a.b"))
	}
	return strings.Join(steps, ".")
}

func step(key string) string {
	if !strings.Contains(key, ".") {
		return key
	}
	return "[" + key + "]"
}
