package kustomize

import "testing"

// FuzzPatchJSON holds patches of pruned objects to those of whole ones.
func FuzzPatchJSON(f *testing.F) {
	object := "a: {b: {c: 1, d: [1, 2, {e: f}]}, g: 1.50, h: 012, 'q/r': ~, \"s~t\": \"1\"}\ni: 2020-01-01\nj: yes\nk: [l, m]\n"
	for _, ops := range []string{
		"- {op: add, path: /a/b/x, value: 1}", "- {op: replace, path: /a/b, value: {}}\n- {op: add, path: /a/b/c, value: 2}",
		"- {op: remove, path: /a/b/d/2/e}", "- {op: move, from: /a/g, path: /n}", "- {op: copy, from: /a/b, path: /a/b/c}",
		"- {op: test, path: /a/h, value: 10}", "- {op: replace, path: '', value: {o: p}}", "- {op: add, path: /a/q~1r, value: 1}",
		"- {op: add, path: /k/-, value: n}", "- {op: remove, path: /a/s~0t}", "- {op: add, path: i, value: 1}", "- {op: add, path: /a/b/c/d, value: 1}",
		"- {op: remove, path: /a}\n- {op: add, path: /a, value: {b: {}}}\n- {op: add, path: /a/b/x, value: 1}",
	} {
		f.Add(object, ops)
	}
	f.Fuzz(func(t *testing.T, object, patch string) {
		ops, err := decodeOps(patch)
		if err != nil {
			return
		}
		read := func() *Object {
			if n := firstMapping(object); n != nil {
				return &Object{root: n}
			}
			return nil
		}
		o, whole := read(), read()
		if o == nil {
			return
		}
		var doc []byte
		errWhole := whole.root.checkKeys(true)
		if errWhole == nil {
			doc, errWhole = appendJSON(nil, whole.root)
		}
		if errWhole == nil {
			doc, errWhole = ops.Apply(doc)
		}
		err = applyOps(o, ops)
		if errWhole != nil || doc[0] != '{' {
			if err == nil {
				t.Fatalf("no error, but of the whole: %v", errWhole)
			}
			return
		}
		if err != nil {
			t.Fatalf("an error, but none of the whole: %v", err)
		}
		root, err := fromJSON(doc)
		if err != nil {
			t.Fatal(err)
		}
		got, errGot := writeYAML(nil, o.root)
		want, errWant := writeYAML(nil, root)
		if string(got) != string(want) || (errGot == nil) != (errWant == nil) {
			t.Errorf("got:\n%s%v\nwant:\n%s%v", got, errGot, want, errWant)
		}
	})
}
