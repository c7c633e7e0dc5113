package schema

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

var (
	core = schema.GroupVersion{Version: "v1"}
	apps = schema.GroupVersion{Group: "apps", Version: "v1"}
)

func TestModels(t *testing.T) {
	models, err := Models(core.WithKind("Pod"))
	if err != nil {
		t.Fatal(err)
	}
	pod := models["io.k8s.api.core.v1.Pod"]
	if got, want := pod.Description, "Pod is a collection of containers that can run on a host. This resource is created by clients and scheduled onto hosts."; got != want {
		t.Errorf("description %q, want %q", got, want)
	}
	containers := models["io.k8s.api.core.v1.PodSpec"].Properties["containers"]
	if got := containers.Extensions["x-kubernetes-patch-merge-key"]; got != "name" {
		t.Errorf("merge key of containers %v", got)
	}
	restart := models["io.k8s.api.core.v1.PodSpec"].Properties["restartPolicy"]
	if !slices.Contains(restart.Enum, any("OnFailure")) {
		t.Errorf("enum of restartPolicy %v", restart.Enum)
	}
	if _, err := Models(schema.GroupVersionKind{Group: "x", Version: "v1", Kind: "Y"}); err == nil {
		t.Error("an unknown group version was found")
	}
	name, err := Name(apps, schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"})
	if err != nil || name != "io.k8s.api.autoscaling.v1.Scale" {
		t.Errorf("name of the scale of apps: %q, %v", name, err)
	}
}

func TestDocument(t *testing.T) {
	data, err := Document(apps, "v1.37.2", []byte(`{"/apis/apps/v1/":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Info       struct{ Version string }
		Paths      map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Info.Version != "v1.37.2" || len(doc.Paths) != 1 || doc.Components.Schemas["io.k8s.api.apps.v1.Deployment"] == nil {
		t.Errorf("document %+v %v, %d schemas", doc.Info, doc.Paths, len(doc.Components.Schemas))
	}
}

// Every reference leads to a schema of the same document.
func TestReferences(t *testing.T) {
	for _, gv := range []schema.GroupVersion{core, apps, {Group: "coordination.k8s.io", Version: "v1"}, {Group: "discovery.k8s.io", Version: "v1"}} {
		raw, err := Components(gv)
		if err != nil {
			t.Fatal(err)
		}
		var models map[string]any
		if err := json.Unmarshal(raw, &models); err != nil {
			t.Fatal(err)
		}
		eachRef(models, func(ref string) {
			if models[ref[len("#/components/schemas/"):]] == nil {
				t.Errorf("%s: %s leads nowhere", gv, ref)
			}
		})
	}
}

func eachRef(v any, visit func(string)) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			visit(ref)
		}
		for _, e := range v {
			eachRef(e, visit)
		}
	case []any:
		for _, e := range v {
			eachRef(e, visit)
		}
	}
}

func TestTypeConverter(t *testing.T) {
	c := TypeConverter(core, apps)
	d := &appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "a", Image: "x"}, {Name: "b"}}
	v, err := c.ObjectToTyped(d)
	if err != nil {
		t.Fatal(err)
	}
	set, err := v.ToFieldSet()
	if err != nil {
		t.Fatal(err)
	}
	js, _ := set.ToJSON()
	if got, want := string(js), `k:{\"name\":\"a\"}`; !strings.Contains(got, want) {
		t.Errorf("fields %s lack %s", got, want)
	}
	if _, err := c.ObjectToTyped(&corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "x/v1", Kind: "Pod"}}); err == nil {
		t.Error("an unknown kind was converted")
	}
}

// What is cut out of a document without decoding it is what a decoder finds in it.
func TestSplit(t *testing.T) {
	for _, gv := range []schema.GroupVersion{core, apps} {
		raw, err := Components(gv)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		got, err := split(raw)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %d parts, %v; want %d", gv, len(got), err, len(want))
		}
		for name, part := range want {
			if string(got[name]) != string(part) {
				t.Errorf("%s: %s is %.80s, want %.80s", gv, name, got[name], part)
			}
		}
	}
	for _, broken := range []string{`{"a"`, `{a}`, `{"a":{},b}`} {
		if parts, err := split([]byte(broken)); err == nil {
			t.Errorf("%s: taken as %v", broken, parts)
		}
	}
}

// Each kind's converter stands alone: what it needs is among its models.
func TestEveryKind(t *testing.T) {
	for _, gv := range []schema.GroupVersion{core, apps} {
		index, err := open(gv).index()
		if err != nil {
			t.Fatal(err)
		}
		for kind := range index {
			if kind.GroupVersion() != gv {
				continue
			}
			if _, err := build(kind); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

func BenchmarkNamespaceConverter(b *testing.B) {
	kind := core.WithKind("Namespace")
	for b.Loop() {
		raw, err := read(core)
		if err != nil {
			b.Fatal(err)
		}
		parts, err := split(raw)
		if err != nil {
			b.Fatal(err)
		}
		index, err := indexKinds(parts)
		if err != nil {
			b.Fatal(err)
		}
		models := map[string]*spec.Schema{}
		if err := follow(parts, index[kind], models); err != nil {
			b.Fatal(err)
		}
		if _, err := managedfields.NewTypeConverter(models, false); err != nil {
			b.Fatal(err)
		}
	}
}
