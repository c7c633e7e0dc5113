package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// suite sends requests to both sides and counts.
type suite struct {
	real, ours   *side
	only, golden string
	verbose      bool
	sent, differ int
	last         [2]answer
}

// do sends one request to both and compares; headers come in pairs.
func (s *suite) do(name, method, path, body string, headers ...string) {
	s.quiet(method, path, body, headers...)
	s.report(name, method, path, body, s.last)
}

// report compares two answers and says where they differ.
func (s *suite) report(name, method, path, body string, both [2]answer) {
	if !strings.Contains(name, s.only) {
		return
	}
	s.sent++
	theirs, ours := both[0], both[1]
	diffs := differences(theirs, ours)
	if len(diffs) == 0 {
		return
	}
	s.differ++
	fmt.Printf("== %s: %s %s\n", name, method, path)
	if s.verbose {
		fmt.Printf("   body %s\n   real %d %s\n   ours %d %s\n", body, theirs.code, theirs.body, ours.code, ours.body)
	}
	for i, d := range diffs {
		if i == 8 {
			fmt.Printf("   and %d more\n", len(diffs)-i)
			break
		}
		fmt.Println("  ", d)
	}
}

// quiet sends a request to both without a comparison: what is drawn at random on either side must differ.
func (s *suite) quiet(method, path, body string, headers ...string) {
	for i, side := range []*side{s.real, s.ours} {
		a, err := side.send(method, path, body, headers)
		if err != nil {
			a = answer{code: -1, body: err.Error()}
		}
		s.last[i] = a
	}
}

// keep remembers a field of the last answers under a name, for {name} in later requests.
func (s *suite) keep(name string, path ...string) {
	for i, side := range []*side{s.real, s.ours} {
		var v any
		_ = json.Unmarshal([]byte(s.last[i].body), &v)
		for _, p := range path {
			m, _ := v.(map[string]any)
			v = m[p]
		}
		side.vars[name] = fmt.Sprint(v)
	}
}

// compared are the headers that clients read.
var compared = []string{"Content-Type", "Warning", "Retry-After", "Location", "Allow"}

func differences(theirs, ours answer) []string {
	var out []string
	if theirs.code != ours.code {
		out = append(out, fmt.Sprintf("status: real %d, ours %d", theirs.code, ours.code))
	}
	for _, h := range compared {
		a, b := slices.Clone(theirs.header.Values(h)), slices.Clone(ours.header.Values(h))
		if !reflect.DeepEqual(a, b) {
			out = append(out, fmt.Sprintf("%s: real %q, ours %q", h, a, b))
		}
	}
	a, b := level(theirs.body), level(ours.body)
	if a == b {
		return out
	}
	var av, bv any
	if json.Unmarshal([]byte(a), &av) != nil || json.Unmarshal([]byte(b), &bv) != nil {
		return append(out, fmt.Sprintf("body: real %.700q\n         ours %.700q", a, b))
	}
	n := len(out)
	if out = fields(out, "", av, bv); len(out) == n {
		out = append(out, fmt.Sprintf("order of fields: real %.300s\n         ours %.300s", a, b))
	}
	return out
}

// fields lists where two JSON values differ.
func fields(out []string, path string, a, b any) []string {
	if reflect.DeepEqual(a, b) {
		return out
	}
	am, aok := a.(map[string]any)
	bm, bok := b.(map[string]any)
	if aok && bok {
		for _, k := range keys(am, bm) {
			out = fields(out, path+"."+k, am[k], bm[k])
		}
		return out
	}
	al, aok := a.([]any)
	bl, bok := b.([]any)
	if aok && bok && len(al) == len(bl) {
		for i := range al {
			out = fields(out, fmt.Sprintf("%s[%d]", path, i), al[i], bl[i])
		}
		return out
	}
	return append(out, fmt.Sprintf("%s:\n      real %s\n      ours %s", path, text(a), text(b)))
}

func keys(a, b map[string]any) []string {
	var out []string
	for k := range a {
		out = append(out, k)
	}
	for k := range b {
		if _, both := a[k]; !both {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

func text(v any) string {
	if v == nil {
		return "-"
	}
	data, _ := json.Marshal(v)
	return fmt.Sprintf("%.900s", data)
}
