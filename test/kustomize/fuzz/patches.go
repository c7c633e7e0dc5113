package main

import (
	"strconv"
	"strings"
)

func quoted(s string) string {
	if strings.ContainsAny(s, "*[]{}#:,&!|>'\"%@`\\") || s == "" {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return s
}

// target is a resource to patch: one that exists, most times.
func (g *grammar) target() *made {
	if len(g.made) == 0 || g.rarely(5) {
		return &made{apiVersion: "v1", kind: "ConfigMap", name: g.name()}
	}
	return pick(g, g.made...)
}

func (g *grammar) patch(dir string) *value {
	m := g.target()
	p := object()
	if g.chance(50) {
		g.place(p, dir, g.operations(m))
		p.put("target", g.selector(m))
	} else {
		g.place(p, dir, g.merge(m).String())
		if g.chance(50) {
			p.put("target", g.selector(m))
		}
	}
	if g.chance(15) {
		p.put("options", object(pick(g, "allowNameChange", "allowKindChange"), "true"))
	}
	return p
}

// place puts a patch inline or into a file.
func (g *grammar) place(p *value, dir, text string) {
	if g.chance(70) {
		p.put("patch", &value{text: pick(g, "|-", "|"), block: text})
		return
	}
	p.put("path", g.write(dir, "patch", pick(g, "yaml", "json"), &file{text: text}))
}

func (g *grammar) selector(m *made) *value {
	s := object("kind", g.maybe(75, m.kind, m.kind, m.kind, "Deployment|"+m.kind, ".*"), "name", g.maybe(60, m.name, m.name, quoted(m.name[:1]+".*"), quoted(".*"), "a|b"))
	s.put("version", g.maybe(10, "v1", "v.*"))
	s.put("group", g.maybe(8, "apps", "batch", "example.com"))
	s.put("namespace", g.maybe(10, "ns1", "default", quoted("n.*")))
	s.put("labelSelector", g.maybe(10, "app", "app=a", quoted("env in (a,b)"), quoted("!tier"), "app!=web"))
	s.put("annotationSelector", g.maybe(6, "app", "env=a"))
	return s
}

// merge makes a strategic merge patch: a part of a fresh object of the same kind, with directives here and there.
func (g *grammar) merge(m *made) *value {
	doc := object("apiVersion", m.apiVersion, "kind", m.kind, "metadata", object("name", m.name, "namespace", g.maybe(0, "x")))
	if m.namespace != "" && g.chance(85) {
		doc.get("metadata").put("namespace", m.namespace)
	}
	if g.chance(6) {
		doc.put("$patch", pick(g, "delete", "replace", "merge"))
	}
	if g.chance(30) {
		doc.get("metadata").put(pick(g, "labels", "annotations"), g.directed(g.pairs(2)))
	}
	if m.doc == nil {
		return doc.put("data", g.pairs(2))
	}
	fresh := g.sibling(m)
	for i, key := range m.doc.keys {
		if key == "apiVersion" || key == "kind" || key == "metadata" {
			continue
		}
		from := m.doc.items[i]
		if v := fresh.get(key); v != nil && g.chance(70) {
			from = v
		}
		doc.put(key, g.part(from))
	}
	return doc
}

// sibling makes another object of a kind without noting it.
func (g *grammar) sibling(m *made) *value {
	before := g.made
	defer func() { g.made = before }()
	for range 40 {
		if doc := g.resource(); doc.get("kind") != nil && doc.get("kind").text == m.kind {
			return doc
		}
	}
	return m.doc
}

// part keeps some of a value, changes scalars and adds directives.
func (g *grammar) part(v *value) *value {
	c := *v
	c.anchor, c.items, c.keys = "", nil, nil
	for i, item := range v.items {
		if g.chance(25) && (v.kind != mapping || v.keys[i] != "name") {
			continue
		}
		if v.kind == mapping {
			c.keys = append(c.keys, v.keys[i])
		}
		c.items = append(c.items, g.part(item))
	}
	switch {
	case strings.HasPrefix(c.text, "*"):
		c.text = "a"
	case v.kind == scalar && g.rarely(10):
		return g.value(1)
	case v.kind == scalar && g.chance(15):
		return g.scalar()
	case v.kind == scalar && g.chance(8):
		return raw("null")
	case v.kind == sequence && g.chance(4):
		c.items = append(c.items, object("$patch", pick(g, "replace", "delete", "merge")))
		c.flow = false
	}
	return g.directed(&c)
}

func (g *grammar) directed(v *value) *value {
	if v.kind != mapping || v.flow {
		return v
	}
	switch g.IntN(40) {
	case 0, 1:
		if v.get("$patch") == nil {
			v.put("$patch", pick(g, "delete", "replace", "merge"))
		}
	case 2:
		v.put("$retainKeys", list(raw("type")))
	case 3:
		v.put("$deleteFromPrimitiveList/args", list(raw("a")))
	case 4:
		v.put(g.unused(v, g.key), pick(g, "null", "{}", "[]", `""`))
	}
	return v
}

// operations makes a JSON patch of paths that the resource mostly has.
func (g *grammar) operations(m *made) string {
	ops := few(g, 3, func() *value {
		op := object("op", pick(g, "add", "add", "replace", "replace", "remove", "move", "copy"), "path", quoted(g.pointer(m)))
		if g.rarely(5) {
			op.items[0].text = "test"
		}
		switch oneLine(op.items[0].text) {
		case "move", "copy":
			return op.put("from", quoted(g.pointer(m)))
		case "remove":
			return op
		}
		return op.put("value", g.value(2))
	})
	return list(ops...).String()
}

func (g *grammar) pointer(m *made) string {
	if m.doc == nil {
		return pick(g, "/data/new", "/metadata/labels", "/metadata/name", "/data/a")
	}
	if g.rarely(15) {
		return pick(g, "/metadata/labels/new", "/metadata/annotations/a~1b", "/spec/replicas", "/data/new", "/metadata/name", "/spec", "/spec/template/spec/containers/0/image", "/spec/template/spec/containers/-", "/spec/ports/0", "/kind", "", "/x/y", "/metadata/namespace")
	}
	path, v := "", m.doc
	for v.kind != scalar && len(v.items) > 0 && (path == "" || g.chance(80)) {
		i := g.IntN(len(v.items))
		if path == "" && (v.keys[i] == "kind" || v.keys[i] == "apiVersion") && !g.rarely(20) {
			continue
		}
		if v.kind == mapping && v.keys[i] == mergeKey {
			return path + "/metadata"
		}
		if v.kind == mapping {
			path += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(oneLine(v.keys[i]))
		} else if g.chance(15) {
			return path + "/-"
		} else {
			path += "/" + strconv.Itoa(i)
		}
		v = v.items[i]
	}
	return path
}

func (g *grammar) strategicEntry(dir string) *value {
	text := g.merge(g.target()).String()
	if g.chance(50) {
		return &value{text: "|-", block: text}
	}
	return raw(g.write(dir, "patch", "yaml", &file{text: text}))
}

func (g *grammar) jsonEntry(dir string) *value {
	m := g.target()
	p := object("target", object("version", "v1", "kind", m.kind, "name", m.name, "group", g.maybe(30, "apps"), "namespace", g.maybe(10, "ns1")))
	g.place(p, dir, g.operations(m))
	return p
}
