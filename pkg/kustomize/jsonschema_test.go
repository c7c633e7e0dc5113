package kustomize_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := kustomize.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("kustomization.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("kustomization.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(s *jsonschema.Schema, kustomization []byte) error {
	j, err := yaml.YAMLToJSON(kustomization)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(j))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// TestSchemaOfCases holds the schema against the parser, on every kustomization of every case.
func TestSchemaOfCases(t *testing.T) {
	s := compileSchema(t)
	for _, file := range goldenFiles(t) {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if !slices.Contains([]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}, path.Base(f.Name)) {
				continue
			}
			_, errParse := kustomize.ParseKustomization(f.Data)
			if j, err := yaml.YAMLToJSON(f.Data); err == nil && string(j) == "null" {
				errParse = errors.New("the build refuses an empty file")
			}
			if err := validate(s, f.Data); (err == nil) != (errParse == nil) {
				t.Errorf("%s: %s: the parser says %v, the schema %v", filepath.Base(file), f.Name, errParse, err)
			}
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := compileSchema(t)
	for _, text := range []string{
		"resourses: [a.yaml]",
		"resources: a.yaml",
		"resources: [1]",
		"kind: Kustomisation",
		"kind: Component\napiVersion: kustomize.config.k8s.io/v1beta1",
		"apiVersion: kustomize.config.k8s.io/v1alpha1",
		"namePrefix: 1",
		"commonLabels: {a: 1}",
		"labels: [{pairs: {a: b}, includeSelector: true}]",
		"labels: [{pairs: {a: b}, includeSelectors: yes please}]",
		"labels: {a: b}",
		"images: [{name: a, tag: b}]",
		"images: [{name: a, newTag: 1.0}]",
		"replicas: [{name: a, count: '3'}]",
		"replicas: [{name: a}]",
		"patches: [{path: a.yaml, patch: b}]",
		"patches: [{target: {kind: Pod}}]",
		"patches: [a.yaml]",
		"patches: [{path: a.yaml, target: {names: a}}]",
		"patches: [{path: a.yaml, options: {allowNameChange: 'true'}}]",
		"configMapGenerator: [{name: a, behavior: overwrite}]",
		"configMapGenerator: [{name: a, literals: {a: b}}]",
		"configMapGenerator: [{name: a, type: Opaque}]",
		"generatorOptions: {disableNameSuffixHash: 'true'}",
		"sortOptions: {order: alphabetic}",
		"buildMetadata: [origin]",
		"replacements: [{source: {kind: Pod}, targets: [{fieldPaths: [a]}]}]",
		"vars: [{name: A}]",
	} {
		if err := validate(s, []byte(text)); err == nil {
			t.Errorf("%s: got no error", text)
		}
	}
}

func TestSchemaMarksDeprecated(t *testing.T) {
	data, err := kustomize.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Properties map[string]struct {
			Description, DeprecationMessage string
			Deprecated                      bool
		}
	}
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	for name, p := range s.Properties {
		want := slices.Contains([]string{"bases", "commonLabels", "imageTags", "patchesJson6902", "patchesStrategicMerge", "vars", "helmChartInflationGenerator"}, name)
		if p.Deprecated != want || (p.DeprecationMessage != "") != want {
			t.Errorf("%s: deprecated is %v (%q), want %v", name, p.Deprecated, p.DeprecationMessage, want)
		}
		if p.Description == "" {
			t.Errorf("%s has no description", name)
		}
	}
}
