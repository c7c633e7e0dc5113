package kustomize

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestNaturalLess(t *testing.T) {
	want := []string{"", "1", "2", "9", "10", "a", "a-b", "a_b", "a1", "a2", "a10", "aB", "aa", "b", "é"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, func(a, b string) int {
		switch {
		case naturalLess(a, b):
			return -1
		case naturalLess(b, a):
			return 1
		}
		return 0
	})
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlainString(t *testing.T) {
	for s, want := range map[string]bool{"web": true, "yes": false, "No": false, "nope": true, "1": false, "1a": true, "0x1f": false, "1e3": false,
		"1.2.3": true, "1:30": false, "1:75": true, "2020-01-01": false, "2020-13-01": true, ".5": false, "..": true, "-": true, "~": false, "": false,
		"<<": true, "+1": false, "1_000": false, "null": false, "nULL": true} {
		if got := plainString(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

func TestNonString(t *testing.T) {
	for s, want := range map[string]bool{"web": false, "yes": true, "1": true, "1:30": false, "2020-01-01": false, "": false, "a: b": true, "[a": false,
		"[a]": true, "- a": true, "#a": true, " 1 ": true, " a ": false, "'1'": false, "a\n1": false, "😀": false, "*a": false, "a b": false} {
		if got := nonString(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

func TestStyle(t *testing.T) {
	for s, want := range map[string]style{"web": plainStyle, "a b": plainStyle, "a: b": singleStyle, "#a": singleStyle, " a": singleStyle, "yes": doubleStyle,
		"a\n": literalStyle, "a \nb": doubleStyle, "a\tb": doubleStyle, "a\n ": doubleStyle, "'": singleStyle, "é": plainStyle, "\u2028": singleStyle} {
		if got := analyse(s).style(s, false); got != want {
			t.Errorf("%q: got style %d, want %d", s, got, want)
		}
	}
}

func TestImage(t *testing.T) {
	for _, c := range []struct {
		old  string
		with Image
		want string
	}{
		{"nginx", Image{NewTag: "2"}, "nginx:2"},
		{"nginx:1@sha256:ab", Image{NewTag: "2"}, "nginx:2"},
		{"r:5000/nginx:1", Image{NewName: "n"}, "n:1"},
		{"nginx:1", Image{Digest: "sha256:cd"}, "nginx@sha256:cd"},
		{"nginx:1", Image{TagSuffix: "-x"}, "nginx:1-x"},
		{"nginx:1@sha256:ab", Image{NewTag: "2", Digest: "sha256:cd"}, "nginx:2@sha256:cd"},
	} {
		if got := c.with.apply(c.old); got != c.want {
			t.Errorf("%s: got %s, want %s", c.old, got, c.want)
		}
	}
}

func TestPaths(t *testing.T) {
	for path, want := range map[string][]string{
		"metadata.name":                        {"metadata", "name"},
		`metadata.annotations.a\.b/c`:          {"metadata", "annotations", "a.b/c"},
		"spec.containers.[name=a.b].image":     {"spec", "containers", "[name=a.b]", "image"},
		"metadata.annotations.[config.io/x].y": {"metadata", "annotations", "config.io/x", "y"},
		"spec.ports.0.port":                    {"spec", "ports", "0", "port"},
	} {
		if got := splitFieldPath(path); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if got, want := splitPath(`metadata/annotations/a.b\/c`), []string{"metadata", "annotations", "a.b/c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSelector(t *testing.T) {
	c, err := Selector{namedKind: namedKind{gvk: gvk{Kind: "Deployment|Service"}, Name: "web.*"}, LabelSelector: "app in (a, b)"}.compile()
	if err != nil {
		t.Fatal(err)
	}
	o := &Object{root: newMap()}
	o.root.ensureMap("metadata").ensureMap("labels").set("app", newString("b"))
	if !c.kindMatches(gvk{Kind: "Service"}) || c.kindMatches(gvk{Kind: "Services"}) || !c.name.match("web-1") || c.name.match("aweb") {
		t.Error("the selector does not match what it should")
	}
	if noted, err := c.noted(o); !noted || err != nil {
		t.Errorf("the labels do not match as they should: %v", err)
	}
	if _, err := (Selector{namedKind: namedKind{Name: "("}}).compile(); err == nil {
		t.Error("got no error for a broken pattern")
	}
}

func TestExpand(t *testing.T) {
	e := expander{values: map[string]any{"A": "x", "N": int64(5)}, used: map[string]bool{}}
	for s, want := range map[string]any{"$(A)": "x", "$(N)": int64(5), "a$(N)b": "a5b", "$$(A)": "$(A)", "$(B)": "$(B)", "$": "$", "$x": "$x", "$(A": "$(A"} {
		if got := e.expand(s); got != want {
			t.Errorf("%s: got %v, want %v", s, got, want)
		}
	}
}

// TestBadDocuments holds that documents made to exhaust a reader are refused.
func TestBadDocuments(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'j'; c++ {
		before := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+before+", ", 10), ", ") + "]\n"
	}
	for name, c := range map[string]struct{ doc, want string }{
		"aliases":   {bomb, "once its aliases are resolved"},
		"nesting":   {strings.Repeat("- ", 1500) + "x", "nested more than"},
		"twice":     {"a: 1\nb: 2\na: 3\n", `mapping key "a" already defined at line 1`},
		"number":    {"m: {1: x}\n", "is not a string"},
		"syntax":    {"x: 1\n---\na: b\n c: d\n", "line 4"},
		"separator": {"x: 1\n--- y\nz: 1\n", "invalid document separator"},
	} {
		docs, err := readDocuments([]byte(c.doc))
		for _, doc := range docs {
			err = errors.Join(err, doc.checkKeys(true))
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

// TestConcurrent holds that builds share nothing; it is for the race detector.
func TestConcurrent(t *testing.T) {
	fs := Memory(map[string]string{
		"/w/kustomization.yaml": "resources: [r.yaml]\nnamePrefix: p-\npatches:\n- patch: |\n    apiVersion: v1\n    kind: Pod\n    metadata: {name: a, labels: {b: c}}\n",
		"/w/r.yaml":             "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: x, image: y}]}\n",
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := Build(fs, "/w", Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestCycle holds that a long way round is found, and found fast.
func TestCycle(t *testing.T) {
	files := map[string]string{}
	const n = 300
	name := func(i int) string { return strings.Repeat("d", i%n+1) }
	for i := range n {
		files["/w/"+name(i)+"/kustomization.yaml"] = "resources: [../" + name(i+1) + "]\n"
	}
	_, err := Build(Memory(files), "/w/d", Options{})
	if err == nil || !strings.Contains(err.Error(), "cycle detected") {
		t.Errorf("got %v, want a cycle", err)
	}
}
