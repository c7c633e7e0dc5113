package main

import "strconv"

func (g *grammar) generator(dir, kind string) *value {
	name := pick(g, "cfg", "cfg", "app", "sec", "gen", "gen2")
	x := object("name", name)
	if g.exists(kind, name) && !g.rarely(20) {
		x.put("behavior", pick(g, "merge", "merge", "replace"))
		for _, m := range g.made {
			if m.kind == kind && m.name == name && m.namespace != "" {
				x.put("namespace", m.namespace)
			}
		}
	} else {
		ns := pick(g, "", "", "", "ns1", "default", "prod")
		x.put("behavior", g.maybe(15, "create"))
		if ns != "" {
			x.put("namespace", ns)
		}
		g.made = append(g.made, &made{apiVersion: "v1", kind: kind, name: name, namespace: ns})
	}
	if g.chance(65) {
		keys := object()
		x.put("literals", list(few(g, 3, func() *value { return g.literal(keys) })...))
	}
	if g.chance(35) {
		x.put("files", list(few(g, 2, func() *value {
			name := g.write(dir, "f", pick(g, "txt", "json", "properties"), &file{text: g.content()})
			return raw(pick(g, "", "", "", name+"-key=") + name)
		})...))
	}
	if g.chance(25) {
		x.put("envs", list(raw(g.write(dir, "e", "env", &file{text: g.envFile()}))))
	}
	if g.chance(5) {
		x.put("env", g.write(dir, "e", "env", &file{text: g.envFile()}))
	}
	if g.chance(25) {
		x.put("options", g.generatorOptions())
	}
	if kind == "Secret" {
		x.put("type", g.maybe(40, "Opaque", "kubernetes.io/tls", "x"))
	}
	return x
}

func (g *grammar) generatorOptions() *value {
	o := object("disableNameSuffixHash", g.maybe(50, "true", "false"), "immutable", g.maybe(25, "true", "false"))
	if g.chance(30) {
		o.put("labels", g.pairs(2))
	}
	if g.chance(30) {
		o.put("annotations", g.pairs(2))
	}
	return o
}

// literal makes one with a key of its own, since a key that comes twice is an error.
func (g *grammar) literal(keys *value) *value {
	key := g.unused(keys, func() string { return pick(g, "a", "b", "KEY", "file.txt", "x-y", "A2", "A10") })
	keys.put(key, "")
	return raw(pick(g, key+"=1", key+"=true", key+"=", `"`+key+`='quoted'"`, `'`+key+`="q"'`, `"`+key+`=a\nb\n"`, key+"=a=b", key+"=null", key+"=some words here",
		strconv.Quote(key+"="+pick(g, " lead", "trail ", "tab\t", "é", "日本", "1.0", "\\", "'", "\"x", "$(VAR)", "# x", "a: b", "\u0001", "{\"a\": 1}", "- a\n- b\n"))))
}

func (g *grammar) content() string {
	return pick(g, "", "text", "text\n", "two\nlines\n", "a: 1\nb:\n- c\n", "{\"a\": {\"b\": \"c\"}, \"n\": 1}", "\tindented\n", "crlf\r\nlines\r\n", "trailing \n", "\n", "\n\nx\n", "é日本\n",
		"\xff\xfe binary \x00", "\xEF\xBB\xBFmark\n", "key=value\nother=1\n", "very long line "+"word word word word word word word word word word word word word word word word word word\n", "1", "true", "null", "1.0", "'q'", "2001-01-01")
}

func (g *grammar) envFile() string {
	return pick(g, "", "A=1\n", "A=1\nB=two words\n# note\n\nC=\n", "  A=x\n", "A= x \n", "A\n", "A=b=c\n", "A=\"q\"\n", "1A=x\n", "A=1\r\nB=2\r\n", "\xEF\xBB\xBFA=1\n", "a.b=1\nA-B=2\n", "A=1\nA=2\n", "=x\n", "A=$(VAR)\n", "A B=1\n")
}
