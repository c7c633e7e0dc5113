package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// difference is how the engines disagree about a case.
type difference struct {
	// what is the kind of disagreement: it stays the same while a case shrinks.
	what         string
	ours, theirs outcome
}

// compare builds a case with both. It gives nil when they agree: where the real one panics, anything but a panic will do.
// Then the outcome is what they agree about.
func compare(t *tree) (*difference, outcome) {
	files := t.rendered()
	d := &difference{theirs: theirs(files, t.dir), ours: ours(files, t.dir)}
	switch {
	case d.ours.panicked:
		d.what = "ours panics: " + general(d.ours.err.Error())
	case d.ours.hung:
		d.what = "ours hangs"
	case d.theirs.panicked || d.theirs.hung:
		return nil, d.theirs
	case d.ours.err != nil && strings.HasSuffix(d.ours.err.Error(), "not supported yet"):
		return nil, d.theirs
	case d.theirs.err != nil && d.ours.err != nil:
		return nil, d.theirs
	case d.ours.err != nil:
		d.what = "only ours fails: " + general(d.ours.err.Error())
	case d.theirs.err != nil:
		d.what = "only the real one fails: " + general(d.theirs.err.Error())
	case bytes.Equal(d.ours.out, d.theirs.out):
		return nil, d.theirs
	default:
		d.what = "different"
	}
	return d, outcome{}
}

var particular = regexp.MustCompile("'[^']*'|\"[^\"]*\"|`[^`]*`|\\[[^\\]]*\\]|/[^ :]+|\\S*[0-9]\\S*|\\S+\\.\\S+")

// general is the end of a message without what is particular to one case.
func general(message string) string {
	message = particular.ReplaceAllString(strings.ReplaceAll(message, "\n", " "), "…")
	parts := strings.Split(message, ": ")
	return strings.Join(parts[max(0, len(parts)-2):], ": ")
}

// signature tells small cases apart: what disagrees, in which field of the output, and which fields of kustomizations
// are left.
func (d *difference) signature(t *tree) string {
	words := []string{d.what}
	if d.what == "different" {
		want, got := firstDifference(string(d.theirs.out), string(d.ours.out))
		words = append(words, field(want)+"/"+field(got))
	}
	var fields []string
	for name, f := range t.files {
		if strings.HasSuffix(name, "kustomization.yaml") && len(f.docs) > 0 {
			for _, k := range f.docs[0].keys {
				if k != "resources" {
					fields = append(fields, k)
				}
			}
		}
	}
	slices.Sort(fields)
	return strings.Join(append(words, slices.Compact(fields)...), " | ")
}

func firstDifference(want, got string) (w, g string) {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			return a[i], b[i]
		}
	}
	return a[min(len(a)-1, len(b))], b[min(len(b)-1, len(a))]
}

func field(line string) string {
	name, _, ok := strings.Cut(strings.TrimLeft(line, " -"), ":")
	if !ok || len(name) > 40 {
		return "text"
	}
	return name
}
