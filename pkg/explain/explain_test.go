package explain

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		limit      int
		text, want string
	}{
		{10, "a b c", "a b c"}, {10, "aaaa bbbb cccc", "aaaa bbbb\ncccc"}, {5, "a-very-long-word b", "a-very-long-word\nb"},
		{10, "a\n\nb", "a\n\nb"}, {4, "aa  bb", "aa\nbb"}, {10, "text\n", "text\n"}, {76, "", ""},
	} {
		if got := wrap(test.limit, test.text); got != test.want {
			t.Errorf("wrap(%d, %q) = %q, want %q", test.limit, test.text, got, test.want)
		}
	}
}

const doc = `{"components":{"schemas":{
 "g.v1.Thing":{"type":"object","description":"Thing is a thing.","required":["spec"],"x-kubernetes-group-version-kind":[{"group":"g","version":"v1","kind":"Thing"}],
  "properties":{"kind":{"type":"string","description":"Kind."},"spec":{"allOf":[{"$ref":"#/components/schemas/g.v1.Spec"}],"description":"Spec of it."}}},
 "g.v1.Spec":{"type":"object","description":"Spec.","properties":{
  "mode":{"type":"string","enum":["","a","b","c","d"]},"list":{"type":"array","items":{"$ref":"#/components/schemas/g.v1.Item"}},
  "map":{"type":"object","additionalProperties":{"type":"string"}},"again":{"$ref":"#/components/schemas/g.v1.Spec"}}},
 "g.v1.Item":{"type":"object","properties":{"name":{"type":"string"}}}}}}`

func TestExplain(t *testing.T) {
	var d document
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		t.Fatal(err)
	}
	gvk := schema.GroupVersionKind{Group: "g", Version: "v1", Kind: "Thing"}
	const head = "GROUP:      g\nKIND:       Thing\nVERSION:    v1\n\n"
	for _, test := range []struct {
		path, want string
		o          Options
	}{
		{"", head + "DESCRIPTION:\n    Thing is a thing.\n    \nFIELDS:\n  kind\t<string>\n    Kind.\n\n  spec\t<Spec> -required-\n    Spec of it.\n\n\n", Options{}},
		{"", head + "DESCRIPTION:\n    Thing is a thing.\n    \nFIELDS:\n  kind\t<string>\n  spec\t<Spec> -required-\n    again\t<Spec>\n    list\t<[]Item>\n      name\t<string>\n" +
			"    map\t<map[string]string>\n    mode\t<string>\n    enum: \"\", a, b, c, ....\n\n", Options{Recursive: true}},
		{"", head + "DESCRIPTION:\n    Thing is a thing.\n    \nFIELDS:\n  kind\t<string>\n  spec\t<Spec> -required-\n\n", Options{Recursive: true, MaxDepth: 1}},
		{"spec.mode", head + "FIELD: mode <string>\nENUM:\n    \"\"\n    a\n    b\n    c\n    d\n\nDESCRIPTION:\n    <empty>\n\n", Options{}},
		{"spec.list.name", head + "FIELD: name <string>\n\n\nDESCRIPTION:\n    <empty>\n\n", Options{}},
		{"spec.nope", head + `error: field "nope" does not exist`, Options{}},
	} {
		var got strings.Builder
		var path []string
		if test.path != "" {
			path = strings.Split(test.path, ".")
		}
		if err := d.explain(&got, gvk, path, &test.o); err != nil {
			got.WriteString(err.Error())
		}
		if got.String() != test.want {
			t.Errorf("%s %+v: got\n%s\nwant\n%s", test.path, test.o, got.String(), test.want)
		}
	}
}
