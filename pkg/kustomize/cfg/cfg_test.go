package cfg

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestParsePath(t *testing.T) {
	for path, want := range map[string][]string{
		"kind":                            {"kind"},
		"spec.containers[name=web].image": {"spec", "containers", "[name=web]", "image"},
		`metadata.labels.app\.io/name`:    {"metadata", "labels", "app.io/name"},
		"a.0.*":                           {"a", "0", "*"},
	} {
		if got, err := ParsePath(path); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
		}
	}
	if got, err := ParsePath("a[b[c"); err == nil {
		t.Errorf("two brackets: got %q, want an error", got)
	}
}

func TestParseQuery(t *testing.T) {
	const pod = "kind: Pod\nspec: {cpu: 500m, n: 3, list: [{name: a, v: x}, {name: b, v: y}]}\n"
	for query, want := range map[string]bool{
		"kind=^Po": true, "kind=Deployment": false, "kind": true, "none": false, "spec.n>2": true, "spec.n>=3": true, "spec.n<3": false,
		"spec.n<=3": true, `spec.cpu>0\.4`: true, "spec.list[name=a].v=x": true, "spec.list[name=a].v=y": false, "spec.list.1.v=y": true,
	} {
		objects, err := Stream(strings.NewReader(pod))
		if err != nil {
			t.Fatal(err)
		}
		q, err := ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := q.Filter(objects, false); err != nil || (len(got) == 1) != want {
			t.Errorf("%s: got %d objects, %v, want %v", query, len(got), err, want)
		}
	}
}

// Whatever can be read can be put in order, printed, drawn and read again.
func FuzzStream(f *testing.F) {
	f.Add([]byte("# a\nkind: Pod\napiVersion: v1\nmetadata: {name: x, annotations: {a: b}}\n---\nkind: List\nitems: [{kind: A}]\n"))
	f.Add([]byte("kind: List\nitems:\n- &a {kind: Deployment, metadata: {ownerReferences: [{kind: X}]}}\n- *a\n- 1\n"))
	f.Add([]byte("metadata: x\nspec: {template: {spec: {containers: [{name: b}, {name: a, image: c}, 3]}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		objects, err := Stream(bytes.NewReader(data))
		if err != nil || Format(objects) != nil {
			return
		}
		tree := Tree{Root: ".", Fields: append(ContainerFields("image"), []string{"metadata", "name"})}
		_ = tree.Write(io.Discard, objects) // fields of another shape, and owners that are missing, are errors
		Count(io.Discard, objects, true)
		var out bytes.Buffer
		if err := (&Output{}).Write(&out, objects); err != nil {
			return // what YAML itself cannot write
		}
		if _, err := Stream(&out); err != nil && !strings.Contains(err.Error(), "wrong node kind") {
			t.Logf("read again: %v", err)
		}
	})
}
