package kustfile

import (
	"reflect"
	"testing"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

func TestLayout(t *testing.T) {
	got := layoutOf([]byte("# a\n\nRESOURCES:\n# b\n- x\n  # c\nother: 1\nnamePrefix: p\n# gone\nkind: unended"))
	want := []section{{"resources", "# a\n\n# b\n  # c\n"}, {"namePrefix", ""}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPart(t *testing.T) {
	const v = "$(V)"
	for value, want := range map[string]kustomize.FieldOptions{
		"$(V)":         {},
		"$(V)/x":       {Delimiter: "/"},
		"a/b/$(V)":     {Delimiter: "/", Index: 2},
		"a.b.$(V).c":   {Delimiter: ".", Index: 2},
		"--x=a,$(V),b": {Delimiter: ",", Index: 1},
	} {
		if got, err := part(value, v); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", value, got, err, want)
		}
	}
	if got, err := part("a-$(V)/b", v); err == nil {
		t.Errorf("between different delimiters: got %+v, want an error", got)
	}
}

func TestParseImages(t *testing.T) {
	got, err := ParseImages([]string{"a:1", "b=c", "b=r:5000/d:2@sha256:e", "=f:3", "*=g:4"})
	want := []kustomize.Image{{Name: "a", NewTag: "1"}, {Name: "b", NewName: "r:5000/d", NewTag: "2", Digest: "sha256:e"},
		{Name: "f", NewTag: "3"}, {Name: "*", NewName: "g", NewTag: "4"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func FuzzLayout(f *testing.F) {
	f.Add([]byte("# a\nresources: []\n\n# b\nnamePrefix: x\n"))
	f.Add([]byte("Kind: Component\r\n#\n : \nimages:\n- name: a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := kustomize.ParseKustomization(data)
		if err != nil {
			return
		}
		k.Fix()
		file := File{k, "kustomization.yaml", layoutOf(data)}
		out, err := file.bytes()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kustomize.ParseKustomization(out); err != nil {
			t.Errorf("what was written cannot be read: %v\n%s", err, out)
		}
	})
}
