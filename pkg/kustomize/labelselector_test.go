package kustomize

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/labels"
)

var selectors = []string{
	"", " ", "a", "!a", "! a", "a,b", "a,", ",a", "a,,b", "!", "!,a", "!a=b", "!a in (b)", "a=", "a==", "a!=", "a=b", "a = b", "a==b", "a!=b",
	"a=b,c", "a=,c", "a=b c", "a b", "a===b", "a=!b", "a!b", "a(b)", "a in (b)", "a in(b)", "a in ()", "a in (,)", "a in (b,)", "a in (,b)",
	"a in (b,,c)", "a in (b c)", "a in b", "a in", "a in (", "a in (b", "a in (in,notin)", "in in (in)", "in", "notin", "in=notin", "a notin (b,c)",
	"a notin ()", "a>1", "a<1", "a>", "a>x", "a>-1", "a<07", "a > 1,a<3", "a>1.5", "a\tin\n(b)", "a\x00=b", "\x00", "a=b\x00c", "x.io/a=b",
	"X.io/a", "x_y/a", "x..y/a", "/a", "x/", "x/a/b", "-a", "a-", "a-b_c.d", "a=-b", "a=b-", "a=é", "é", "a=b/c", "(a)", ")", "a=(b)", "a=>b", "a><b",
	strings.Repeat("a", 63), strings.Repeat("a", 64), "a=" + strings.Repeat("b", 63), "a=" + strings.Repeat("b", 64),
	strings.Repeat("a", 253) + "/b", strings.Repeat("a", 254) + "/b", "a=b,a=c", "a in (b,c),a!=b", "a\vb", "a=\"b\"",
}

var labelled = []map[string]string{
	nil, {"a": ""}, {"a": "b"}, {"a": "c", "b": "x"}, {"a": "2"}, {"a": "1"}, {"a": "-1"}, {"a": "x"}, {"in": "in"}, {"in": "notin"}, {"x.io/a": "b"},
	{"a": "in", "c": ""}, {"a": "7"},
}

// likeLibrary compares a selector with what Kubernetes' own library makes of it.
func likeLibrary(t *testing.T, s string) {
	t.Helper()
	want, errWant := labels.Parse(s)
	got, err := parseLabelSelector(s)
	if (err == nil) != (errWant == nil) {
		t.Fatalf("%q: got error %v, want %v", s, err, errWant)
	}
	if err != nil {
		return
	}
	for _, set := range labelled {
		if got, want := got.matches(set), want.Matches(labels.Set(set)); got != want {
			t.Errorf("%q on %v: got %t, want %t", s, set, got, want)
		}
	}
}

func TestLabelSelector(t *testing.T) {
	for _, s := range selectors {
		likeLibrary(t, s)
	}
}

func FuzzLabelSelector(f *testing.F) {
	for _, s := range selectors {
		f.Add(s)
	}
	f.Fuzz(likeLibrary)
}
