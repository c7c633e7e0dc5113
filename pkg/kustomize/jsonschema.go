package kustomize

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

//go:embed schemafields.txt
var schemaFields string

// Schema is a JSON schema (draft 7, which editors know) of kustomization files, made of the types that read them.
func Schema() ([]byte, error) {
	m := schemaMaker{texts: map[string]string{}}
	for line := range strings.Lines(schemaFields) {
		if path, text, ok := strings.Cut(strings.TrimSpace(line), " "); ok && path != "#" {
			m.texts[path] = strings.TrimSpace(text)
		}
	}
	s := m.object(reflect.TypeFor[Kustomization](), nil)
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "Kustomization"
	s["description"] = "What kustomize " + Version + " reads as kustomization.yaml, kustomization.yml or Kustomization."
	s["type"] = "object"
	s["if"] = map[string]any{"properties": map[string]any{"kind": map[string]any{"const": componentKind}}, "required": []string{"kind"}}
	s["then"] = versions("kustomize.config.k8s.io/v1alpha1")
	s["else"] = versions("kustomize.config.k8s.io/v1beta1")
	if m.missing != nil {
		return nil, fmt.Errorf("no text in schemafields.txt for %s", strings.Join(m.missing, ", "))
	}
	return json.MarshalIndent(s, "", "  ")
}

func versions(version string) map[string]any {
	return map[string]any{"properties": map[string]any{"apiVersion": map[string]any{"enum": []any{version, "", nil}}}}
}

// schemaMaker turns types into schemas.
type schemaMaker struct {
	texts   map[string]string
	missing []string
}

// values are what a field may hold where its type alone does not say it.
var values = map[string][]any{
	"kind":                        {"Kustomization", componentKind, "", nil},
	"buildMetadata":               {"originAnnotations", "transformerAnnotations", "managedByLabel"},
	"configMapGenerator.behavior": {"create", "merge", "replace", "", nil},
	"secretGenerator.behavior":    {"create", "merge", "replace", "", nil},
	"sortOptions.order":           {"legacy", "fifo"},
	"helmCharts.valuesMerge":      {"override", "merge", "replace", "", nil},
}

// either are the fields of which an entry must have exactly one.
var either = map[string][]string{
	"patches":         {"patch", "path"},
	"patchesJson6902": {"patch", "path"},
}

func (m *schemaMaker) schema(t reflect.Type, path []string) map[string]any {
	switch t.Kind() {
	case reflect.Pointer:
		return m.schema(t.Elem(), path)
	case reflect.Struct:
		return m.object(t, path)
	case reflect.Map:
		s := typed("object")
		if t.Elem().Kind() == reflect.String {
			s["additionalProperties"] = typed("string")
		}
		return s
	case reflect.Slice:
		s := typed("array")
		items := m.schema(t.Elem(), path)
		if enum := values[strings.Join(path, ".")]; enum != nil {
			items = map[string]any{"enum": enum}
		}
		s["items"] = items
		return s
	case reflect.Bool:
		return typed("boolean")
	case reflect.String:
		if enum := values[strings.Join(path, ".")]; enum != nil {
			return map[string]any{"enum": enum}
		}
		return typed("string")
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	}
	return map[string]any{}
}

// typed also lets a field stand there with nothing in it, as kustomize does.
func typed(name string) map[string]any { return map[string]any{"type": []string{name, "null"}} }

func (m *schemaMaker) object(t reflect.Type, path []string) map[string]any {
	s := typed("object")
	properties := map[string]any{}
	required := m.fields(t, path, properties)
	s["properties"], s["additionalProperties"] = properties, false
	if required != nil {
		s["required"] = required
	}
	var choices []any
	for _, field := range either[strings.Join(path, ".")] {
		choices = append(choices, map[string]any{"required": []string{field}})
	}
	if choices != nil {
		s["oneOf"] = choices
	}
	return s
}

func (m *schemaMaker) fields(t reflect.Type, path []string, into map[string]any) (required []string) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			required = append(required, m.fields(f.Type, path, into)...)
			continue
		}
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		at := append(slices.Clip(path), name)
		s := m.schema(f.Type, at)
		m.describe(s, at)
		into[name] = s
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	return required
}

// describe gives a field its text: the one under the longest end of its path.
func (m *schemaMaker) describe(s map[string]any, path []string) {
	for i := range path {
		text, ok := m.texts[strings.Join(path[i:], ".")]
		if !ok {
			continue
		}
		if instead, rest, old := strings.Cut(strings.TrimPrefix(text, "use "), ": "); old && strings.HasPrefix(text, "use ") {
			text = rest
			s["deprecated"], s["deprecationMessage"] = true, "Use "+instead+" instead."
		}
		s["description"] = text
		return
	}
	m.missing = append(m.missing, strings.Join(path, "."))
}
