package kustomize

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// goldenFiles calls each with the files of all golden cases.
func goldenFiles(f *testing.F, each func(data string)) {
	f.Helper()
	files, err := filepath.Glob("../../testdata/kustomize/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, member := range a.Files {
			each(string(member.Data))
		}
	}
}

// firstMapping reads an object, nil if there is none.
func firstMapping(data string) *node {
	docs, err := readDocuments([]byte(data))
	if err != nil || len(docs) == 0 || docs[0].kind != mapKind {
		return nil
	}
	return docs[0]
}

// FuzzFieldPath looks a path up, and sets what it matches.
func FuzzFieldPath(f *testing.F) {
	object := "a: {b: [{name: x, v: 1}, {name: y.z, v: '2'}], 'c.d': {e: f}, g: '{\"h\": [1]}', i: \"j: k\\n\"}\n"
	for _, path := range []string{"a.b.[name=x].v", "a.b.0.v", "a.b.*.v", "a.c\\.d.e", "a.[c.d].e", "a.b.[name=y.z].v", "a.b.-", "a.g.h.0", "a.i.j", "x.[y=z].0.*",
		".", "..", "[", "]", "[=]", "\\", "a.b.[name=(].v", "a.b.[name=x.v", "a.b.99999999999999999999", "*.*.*"} {
		f.Add(object, path)
	}
	f.Fuzz(func(t *testing.T, object, path string) {
		n := firstMapping(object)
		if n == nil {
			return
		}
		steps := splitFieldPath(path)
		if len(steps) == 0 {
			t.Fatalf("%q has no steps", path)
		}
		_, _ = n.lookup(steps)
		value := newString("w")
		_ = setStructured(n.copy(), steps, value, value)
		m := matcher{create: value}
		if err := m.match(n, steps); err != nil {
			return
		}
		for _, found := range m.found {
			found.assign(strTag, "w")
		}
		if _, err := writeYAML(nil, n); err != nil {
			t.Log(err)
		}
	})
}

// FuzzStrategicMerge merges two objects.
func FuzzStrategicMerge(f *testing.F) {
	var all []string
	goldenFiles(f, func(data string) { all = append(all, data) })
	for i, data := range all {
		f.Add(data, all[(i+1)%len(all)])
		f.Add(data, data)
	}
	pod := "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, ports: [{containerPort: 1}], env: [{name: x, value: y}]}]}\n"
	for _, patch := range []string{"spec: {containers: [{name: a, $patch: delete}]}", "spec: {$patch: replace, containers: []}", "$patch: delete",
		"spec: {$setElementOrder/containers: [{name: b}, {name: a}], containers: [{name: b}]}", "spec: {$retainKeys: [a], a: b}", "spec: {containers: ~}",
		"spec: {$deleteFromPrimitiveList/finalizers: [a]}", "spec: {containers: [{$patch: replace}]}", "spec: {containers: {a: b}}"} {
		f.Add(pod, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"+patch+"\n")
	}
	f.Fuzz(func(t *testing.T, object, patch string) {
		n, with := firstMapping(object), firstMapping(patch)
		if n == nil || with == nil {
			return
		}
		merged, err := (&schemas{}).strategicMerge(n, with)
		if err != nil || merged.isEmpty() {
			return
		}
		if _, err := writeYAML(nil, merged); err != nil {
			t.Log(err)
		}
	})
}
