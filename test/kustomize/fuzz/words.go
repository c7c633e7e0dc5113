package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// grammar makes random cases. The same seed makes the same case.
type grammar struct {
	*rand.Rand
	tree *tree
	// made are the resources so far, which patches, replacements and vars speak of.
	made []*made
	// wild cases may be wrong in ways that mostly make a build fail.
	wild bool
	// variables are the names that vars have taken.
	variables map[string]bool
}

// made is a resource that exists in some file.
type made struct {
	apiVersion, kind, name, namespace string
	doc                               *value
}

func (g *grammar) chance(percent int) bool { return g.IntN(100) < percent }

// rarely holds in wild cases alone.
func (g *grammar) rarely(percent int) bool { return g.wild && g.chance(percent) }

func pick[T any](g *grammar, list ...T) T { return list[g.IntN(len(list))] }

// maybe gives one of the texts, or nil, which leaves a field out.
func (g *grammar) maybe(percent int, texts ...string) any {
	if !g.chance(percent) {
		return nil
	}
	return pick(g, texts...)
}

// few makes up to n items, at least one.
func few[T any](g *grammar, n int, make func() T) []T {
	var out []T
	for range 1 + g.IntN(n) {
		out = append(out, make())
	}
	return out
}

// Words are drawn from small sets, so that names meet.
func (g *grammar) name() string {
	if g.rarely(3) {
		return "9"
	}
	return pick(g, "app", "app", "app", "web", "web", "db", "cfg", "cfg", "sec", "my-app", "sa", "x", "default", "data.v1")
}

func (g *grammar) namespace() string { return pick(g, "default", "ns1", "ns1", "prod", `"7"`) }

func (g *grammar) label() string {
	if g.rarely(2) {
		return `"true"`
	}
	return pick(g, "app", "app", "env", "tier", "app.kubernetes.io/name", "a", "zone", "x-y_z")
}

func (g *grammar) key() string {
	if g.rarely(5) {
		return pick(g, `"1"`, "'null'", "\"1.5\"", `"a b"`)
	}
	return pick(g, "a", "b", "KEY", "file.txt", "cfg", "y", "n", "a.b", "a-b_c", "zz", "A1", "A10", "A9", "on")
}

func (g *grammar) image() string {
	return pick(g, "nginx", "nginx:1.25", "app", "app:v1", "reg.io/team/app:v2", "reg.io:5000/app", "localhost:5000/nginx:1",
		"nginx@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3", "nginx:1@sha256:aa", "busybox:$(TAG)", "a/b/c", `"nginx"`)
}

// text gives a scalar as it may stand in a file: strings in every style, and what YAML reads as something else.
func (g *grammar) text() string {
	n := g.IntN(12)
	if !g.wild && (n == 1 || n == 7) {
		n = 9
	}
	switch n {
	case 0:
		return pick(g, "0", "1", "-1", "+1", "007", "0o17", "0x1F", "0b11", "1_000", "9223372036854775807", "9223372036854775808",
			"18446744073709551615", "18446744073709551616", "123456789012345678901234567890")
	case 1:
		return pick(g, "1.0", "1.50", ".5", "1.", "1e3", "1E3", "1e-7", "1e21", "1.0e+06", "123456789.123456789", "0.1", "-0.0", "-0", "1e400",
			".inf", "-.Inf", ".NaN", "1_0.5", "3.14159265358979323846")
	case 2:
		return pick(g, "true", "false", "True", "TRUE", "yes", "no", "Yes", "NO", "on", "off", "y", "n", "Y", "N")
	case 3:
		return pick(g, "null", "~", "Null", "NULL", `""`, "''", `"null"`, "'~'", "nil")
	case 4:
		return pick(g, "2001-12-14", "2001-12-14T21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "2001-12-14t21:59:43Z", "2001-1-1", "12:30", "1:20:30", "12:30:45.5", "190:20:30.15", "60:60")
	case 5:
		return strconv.Quote(pick(g, "1", "true", "null", "yes", "1.5", "2001-12-14", "a: b", "a #b", "- a", "é", "日本語", "\u200b", "tab\there", "nl\nhere",
			"trailing ", " leading", "\x07bell", "emoji 😀", "\u2028", "\u0085", "a\r\nb", "", "{}", "[]", "*a", "&a", "!x", "%x", "@x", "`x`", "a'b", "a\"b", "\\", "0x", "1e", "=", "<<", ".", "..", "-", "--", "---", "?", "? a", ":", "a:", ":a", "#"))
	case 6:
		return "'" + strings.ReplaceAll(pick(g, "1", "it's", "true", "a: b", "é", "0777", "1_000", "0b1", "0o7", "+.inf", "12e03", "-2E+05", "12:30:45", "null", "{{ .X }}"), "'", "''") + "'"
	case 7:
		return pick(g, "!!str 1", "!!str true", "!!int 3", "!!float 3", "!!binary aGVsbG8=", "!!null x", "!custom a", "!!bool yes", `!!int "3"`, "!!str", "! 1")
	case 8:
		return strings.TrimSpace(strings.Repeat(pick(g, "word ", "longer-word ", "a:b, ", "éé ", "x  y "), 5+g.IntN(40)))
	default:
		return pick(g, "a", "b", "some text", "a-b", "x/y", "/", "http://x.io/a?b=c#d", "a,b", "a=b", "$(VAR)", "$$(VAR)", "$(VAR)/$(B)", "100m", "1Gi", "10%", "a:b", "é", "日本", "v1.2.3", "1.2.3", "1.25.", "0.0.0.0", "1h30m", "=", "foo@bar", "<a>", "~x", "nullx", "truex", "0xg", "1a", "08", "0o8", "1__0", "_1", "+", "-a", ".a", "1,000", "1 000", "a 'b' \"c\"", "x\\ny")
	}
}

// value gives text, a block of it, or a small structure.
func (g *grammar) value(depth int) *value {
	switch n := g.IntN(20); {
	case n < 2 && depth > 0:
		m := object()
		for range g.IntN(4) {
			m.put(g.unused(m, g.key), g.value(depth-1))
		}
		m.flow = g.chance(20) && m.flowable()
		return m
	case n < 4 && depth > 0:
		l := list()
		for range g.IntN(4) {
			l.items = append(l.items, g.value(depth-1))
		}
		l.flow = g.chance(20) && l.flowable()
		return l
	case n < 6:
		return g.block()
	default:
		v := raw(g.text())
		if g.chance(5) {
			v.note = pick(g, "a note", "TODO: x", `{"$openapi":"x"}`)
		}
		return v
	}
}

// flowable holds for what may stand in braces: plain text with commas or brackets may not.
func (v *value) flowable() bool {
	for _, item := range v.items {
		if !item.flowable() {
			return false
		}
	}
	return v.kind != scalar || v.block == "" && (!strings.ContainsAny(v.text, ",[]{}#:") || strings.HasPrefix(v.text, `"`)) && v.anchor == "" && v.text != ""
}

func (g *grammar) block() *value {
	text := pick(g, "line\n", "one\ntwo\n", "one\n\ntwo\n", "a: b\nc:\n- d\n", "no newline", "end\n\n\n", "trailing \nspace\n", "tab\there\n", "{\"a\": 1, \"b\": [1, 2]}\n", "# comment\nkey=value\n", "é\n日本\n", "$(VAR)\n")
	if g.chance(20) {
		text = strings.Repeat("many words make long lines ", 1+g.IntN(8)) + "\n" + text
	}
	return &value{text: pick(g, "|", "|", "|", "|-", "|+", ">", ">-", ">+", "|2"), block: text}
}

// unused draws until the mapping has no such key, or gives up and takes a fresh one.
func (g *grammar) unused(m *value, draw func() string) string {
	for range 5 {
		if k := draw(); m.get(k) == nil && m.get(strings.Trim(k, `"'`)) == nil && m.get(strconv.Quote(k)) == nil {
			return k
		}
	}
	return fmt.Sprintf("k%d", len(m.keys))
}

// pairs makes labels or annotations: values are mostly strings, as they should be.
func (g *grammar) pairs(n int) *value {
	m := object()
	for range 1 + g.IntN(n) {
		v := pick(g, "a", "b", `"1"`, `"true"`, "web", "v1", "''", "long-value", `"yes"`, "1.0.0", "'1.5'", "a b", "é")
		if g.rarely(6) {
			v = g.text()
		}
		m.put(g.unused(m, g.label), v)
	}
	return m
}
