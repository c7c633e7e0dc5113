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
)

var (
	core = schema.GroupVersion{Version: "v1"}
	apps = schema.GroupVersion{Group: "apps", Version: "v1"}
)

func TestLookup(t *testing.T) {
	pod, err := Lookup(core.WithKind("Pod"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := pod.Description, "Pod is a collection of containers that can run on a host. This resource is created by clients and scheduled onto hosts."; got != want {
		t.Errorf("description %q, want %q", got, want)
	}
	models, err := Models(core)
	if err != nil {
		t.Fatal(err)
	}
	containers := models["io.k8s.api.core.v1.PodSpec"].Properties["containers"]
	if got := containers.Extensions["x-kubernetes-patch-merge-key"]; got != "name" {
		t.Errorf("merge key of containers %v", got)
	}
	restart := models["io.k8s.api.core.v1.PodSpec"].Properties["restartPolicy"]
	if !slices.Contains(restart.Enum, any("OnFailure")) {
		t.Errorf("enum of restartPolicy %v", restart.Enum)
	}
	if _, err := Lookup(schema.GroupVersionKind{Group: "x", Version: "v1", Kind: "Y"}); err == nil {
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

func BenchmarkTypeConverter(b *testing.B) {
	for b.Loop() {
		raw, err := read(core)
		if err != nil {
			b.Fatal(err)
		}
		models, err := decode(raw)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := managedfields.NewTypeConverter(models, false); err != nil {
			b.Fatal(err)
		}
	}
}
