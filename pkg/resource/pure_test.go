package resource

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

func TestParseArgs(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"pods", "types [pods] names [] tuples []"},
		{"pods,svc", "types [pods svc] names [] tuples []"},
		{"pods a b", "types [pods] names [a b] tuples []"},
		{"pods/a svc/b", "types [] names [] tuples [{pods a} {svc b}]"},
		{"pods,svc a", "types [] names [] tuples [{pods a} {svc a}]"},
		{"pods,pods", "types [pods] names [] tuples []"},
		{"", "types [] names [] tuples []"},
		{"pods a/b", "there is no need to specify a resource type"},
		{"a/b/c", "arguments in resource/name form may not have more than one slash"},
		{"a/", "arguments in resource/name form must have a single resource and name"},
		{"a,b/c", "arguments in resource/name form must have a single resource and name"},
	} {
		p, err := parseArgs(strings.Fields(test.args))
		got := fmt.Sprintf("types %v names %v tuples %v", p.types, p.names, p.tuples)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%q: got %s, want %s", test.args, got, test.want)
		}
	}
}

func TestPairs(t *testing.T) {
	names, pairs, err := SplitPairs([]string{"pod", "x", "a=b", "c-"}, "label")
	if err != nil || fmt.Sprint(names, pairs) != "[pod x] [a=b c-]" {
		t.Error(names, pairs, err)
	}
	if _, _, err := SplitPairs([]string{"a=b", "pod"}, "label"); err == nil || err.Error() != "all resources must be specified before label changes: pod" {
		t.Error(err)
	}
	before := map[string]string{"same": "1", "other": "1", "gone": "1"}
	out, set, removed := Pairs{Set: map[string]string{"same": "1", "other": "2", "new": "3"}, Remove: []string{"gone", "never"}}.Edit(before)
	if fmt.Sprint(out) != "map[new:3 other:2 same:1]" || len(set) != 2 || fmt.Sprint(removed) != "[gone]" || before["other"] != "1" {
		t.Error(out, set, removed, before)
	}
}

func TestThreeWay(t *testing.T) {
	pod, custom := schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, schema.GroupVersionKind{Group: "x.io", Version: "v1", Kind: "X"}
	for _, test := range []struct {
		name                        string
		gvk                         schema.GroupVersionKind
		original, modified, current string
		patch                       string
		typ                         types.PatchType
	}{
		{"nothing", pod, `{"spec":{"a":1}}`, `{"spec":{"a":1}}`, `{"spec":{"a":1,"b":2}}`, `{}`, types.StrategicMergePatchType},
		{"lists merge by name", pod,
			`{"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"}]}}`, `{"spec":{"containers":[{"name":"a","image":"2"}]}}`,
			`{"spec":{"containers":[{"name":"a","image":"1"},{"name":"b"},{"name":"injected"}]}}`,
			`{"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"image":"2","name":"a"},{"$patch":"delete","name":"b"}]}}`, types.StrategicMergePatchType},
		{"what left the manifest goes", custom, `{"spec":{"a":1,"b":2}}`, `{"spec":{"a":3}}`, `{"spec":{"a":1,"b":2,"c":9}}`, `{"spec":{"a":3,"b":null}}`, types.MergePatchType},
		{"lists of unknown kinds are replaced", custom, `{"l":[1]}`, `{"l":[2]}`, `{"l":[1,9]}`, `{"l":[2]}`, types.MergePatchType},
	} {
		patch, typ, err := ThreeWay(test.gvk, []byte(test.original), []byte(test.modified), []byte(test.current), true)
		if err != nil || string(patch) != test.patch || typ != test.typ {
			t.Errorf("%s: got %s %s, %v", test.name, patch, typ, err)
		}
	}
	if _, _, err := ThreeWay(custom, nil, []byte(`{"kind":"Y"}`), []byte(`{"kind":"X"}`), true); err == nil || !strings.Contains(err.Error(), "precondition failed for: map[kind:Y]") {
		t.Errorf("got %v", err)
	}
}

func TestModifiedKeepsItself(t *testing.T) {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}}}
	got, err := Modified(u)
	want := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":` +
		`"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"annotations\":{},\"name\":\"a\"}}\n"},"name":"a"}}`
	if err != nil || strings.TrimSpace(string(got)) != want {
		t.Errorf("got %s, %v", got, err)
	}
	if u.GetAnnotations() != nil {
		t.Error("the object was changed")
	}
}

func TestParseCascade(t *testing.T) {
	var warned strings.Builder
	for value, want := range map[string]string{"background": "Background", "orphan": "Orphan", "foreground": "Foreground", "false": "Orphan", "true": "Background"} {
		if got, err := ParseCascade(value, &warned); string(got) != want || err != nil {
			t.Errorf("%s: %s, %v", value, got, err)
		}
	}
	if strings.Count(warned.String(), "deprecated") != 2 {
		t.Errorf("warned %q", warned.String())
	}
	if _, err := ParseCascade("maybe", &warned); err == nil {
		t.Error("maybe is taken")
	}
}

func FuzzDocuments(f *testing.F) {
	f.Add("a: b\n---\n{\"c\": 1}\n")
	f.Add("---\n---\n# x\n...")
	f.Fuzz(func(t *testing.T, text string) {
		for doc, err := range documents(strings.NewReader(text), "f") {
			if err == nil {
				_ = validateHeader(doc, "f")
				_, _ = decodeManifest(doc, "f")
			}
		}
	})
}
