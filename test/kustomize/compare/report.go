package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// report gathers results, those of one cause together.
type report struct {
	verbose bool
	each    int
	count   map[verdict]int
	groups  map[string]*group
}

type group struct {
	name    string
	results []result
}

func (r *report) add(x result) {
	r.count[x.verdict]++
	if r.verbose {
		fmt.Printf("%s: %s\n%s\n", x.dir, x.verdict, indented(x.detail))
	}
	if x.cause == "" {
		return
	}
	name := string(x.verdict) + ": " + x.cause
	if r.groups[name] == nil {
		r.groups[name] = &group{name: name}
	}
	r.groups[name].results = append(r.groups[name].results, x)
}

func (r *report) clean() bool {
	return r.count[different]+r.count[oursFails]+r.count[realFails]+r.count[inconclude] == 0
}

func (r *report) print(w io.Writer) {
	groups := slices.SortedFunc(maps.Values(r.groups), func(a, b *group) int {
		return cmp.Or(cmp.Compare(len(b.results), len(a.results)), cmp.Compare(a.name, b.name))
	})
	for _, g := range groups {
		fmt.Fprintf(w, "%d × %s\n", len(g.results), g.name)
		slices.SortFunc(g.results, func(a, b result) int { return cmp.Compare(a.dir, b.dir) })
		for _, x := range g.results[:min(r.each, len(g.results))] {
			fmt.Fprintf(w, "  %s\n%s\n", x.dir, indented(x.detail))
		}
	}
	total := 0
	for _, n := range r.count {
		total += n
	}
	fmt.Fprintf(w, "%d directories\n", total)
	for _, v := range []verdict{identical, bothFail, remote, different, oursFails, realFails, inconclude} {
		fmt.Fprintf(w, "%6d %s\n", r.count[v], v)
	}
}

func indented(s string) string {
	if len(s) > 2000 {
		s = s[:2000] + " ..."
	}
	return "    " + strings.ReplaceAll(s, "\n", "\n    ")
}

var particular = regexp.MustCompile("'[^']*'|\"[^\"]*\"|`[^`]*`|\\[[^\\]]*\\]|/[^ :]+|\\S*[0-9]\\S*|\\S+\\.\\S+")

// cause is the end of a message without what is particular to one case.
func cause(message string) string {
	message = particular.ReplaceAllString(strings.ReplaceAll(message, "\n", " "), "…")
	parts := strings.Split(message, ": ")
	if len(parts) > 3 {
		parts = parts[len(parts)-3:]
	}
	return strings.Join(parts, ": ")
}

// firstDifference gives the field where two outputs begin to differ, and what they say there.
func firstDifference(want, got string) (cause, detail string) {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	at := func(lines []string, i int) string {
		if i < len(lines) {
			return lines[i]
		}
		return "(end)"
	}
	kind := ""
	for i := 0; i < len(w) || i < len(g); i++ {
		if rest, ok := strings.CutPrefix(at(w, i), "kind: "); ok {
			kind = rest
		}
		if at(w, i) == at(g, i) {
			continue
		}
		detail = fmt.Sprintf("line %d (%s)\nwant %q\ngot  %q", i+1, kind, at(w, i), at(g, i))
		return field(at(w, i)) + " / " + field(at(g, i)), detail
	}
	return "", ""
}

func field(line string) string {
	name, _, ok := strings.Cut(strings.TrimLeft(line, " -"), ":")
	if !ok || len(name) > 60 {
		return "(text)"
	}
	return name
}
