package kustomize_test

import (
	"bytes"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// TestTraceOfCases builds every case with a trace: the output stays the same, every field of it has a past, the last value
// of which is its own, and what made it stands in a file of the case.
func TestTraceOfCases(t *testing.T) {
	for _, file := range goldenFiles(t) {
		_, tree, dir, _ := readGolden(t, file)
		want, err := build(kustomize.Memory(tree), dir)
		if err != nil {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { traced(t, tree, dir, want) })
	}
}

func traced(t *testing.T, tree map[string]string, dir string, want []byte) {
	trace := kustomize.NewTrace()
	objects, err := kustomize.Build(kustomize.Memory(tree), dir, kustomize.Options{Trace: trace})
	if err != nil {
		t.Fatal(err)
	}
	explained, err := trace.Explain(objects, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := kustomize.Write(objects); err != nil || !bytes.Equal(got, want) {
		t.Errorf("with a trace, got %v and:\n%s\nwant:\n%s", err, got, want)
	}
	for _, e := range explained {
		for _, f := range e.Fields {
			if len(f.History) == 0 {
				t.Errorf("%s/%s %s has no past", e.Kind, e.Name, f.Path)
				continue
			}
			if last := f.History[len(f.History)-1]; !reflect.DeepEqual(last.Value, f.Value) {
				t.Errorf("%s/%s %s is %v, but %v in the end of its past", e.Kind, e.Name, f.Path, f.Value, last.Value)
			}
			for _, c := range f.History {
				text, ok := tree[c.File]
				if c.File != "" && (!ok || c.Line > strings.Count(text, "\n")+1) {
					t.Errorf("%s/%s %s: %s is at %s:%d, which is not there", e.Kind, e.Name, f.Path, c.By, c.File, c.Line)
				}
			}
		}
	}
}
