package kustomize

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"sigs.k8s.io/yaml"
)

// builtinSchema is the version of the OpenAPI that merges go by.
const builtinSchema = "v1.21.2"

// schemas are what a build knows of kinds: those of Kubernetes, unless a kustomization brings others in their place.
type schemas struct {
	// chosen holds once a kustomization has said what counts; all others that do are ignored then.
	chosen bool
	custom *customSchema
	// builtin holds if the kinds of Kubernetes count beside those of the custom schema.
	builtin bool
	// inUse holds after a merge.
	inUse atomic.Bool
	// seen are the resources that came before a schema was chosen.
	seen []*Object
	// marked holds once there is a resource that wants a hash of all that documents say beside their values.
	marked bool
	// all holds in a build that keeps the marks of everything.
	all bool
}

// choose takes in the openapi field of a kustomization. The root comes first, so its word stands.
func (t *target) choose() error {
	s := t.schemas
	path, version := t.k.OpenAPI["path"], t.k.OpenAPI["version"]
	_, hasPath := t.k.OpenAPI["path"]
	var data []byte
	if hasPath {
		var err error
		if data, err = t.loader.load(path); err != nil {
			return fmt.Errorf("openapi.path: %w", err)
		}
	}
	if s.chosen {
		return nil
	}
	switch _, hasVersion := t.k.OpenAPI["version"]; {
	case hasPath && hasVersion:
		return errors.New("builtin version and custom schema provided, cannot use both")
	case hasPath:
		// What was already in use stays so; the kinds of Kubernetes also come back with the first kind that they do not have.
		s.builtin = s.inUse.Load() || slices.ContainsFunc(s.seen, unknownKind)
		var err error
		if s.custom, err = parseSchema(data, s.builtin); err != nil {
			return fmt.Errorf("openapi.path: invalid schema file %s: %w", path, err)
		}
	case version != "" && version != builtinSchema:
		return fmt.Errorf("the specified OpenAPI version is not built in: '%s' (there is %s)", version, builtinSchema)
	}
	s.chosen = hasPath || version != ""
	return nil
}

// see takes note of the resources of a build until a schema is chosen.
func (s *schemas) see(list []*Object) {
	if !s.chosen {
		s.seen = append(s.seen, list...)
	}
}

func unknownKind(o *Object) bool {
	return !clusterScoped(o.gvk()) && mergeSchema().kinds[o.APIVersion()+":"+o.Kind()] == nil
}

// of gives the type of an object by its own word, nil if its kind is not known.
func (s *schemas) of(n *node) *mergeType {
	if n == nil || n.kind != mapKind {
		return nil
	}
	kind, version := n.get("kind").text(), n.get("apiVersion").text()
	if kind == "" || version == "" {
		return nil
	}
	key := version + ":" + kind
	if s == nil || s.custom == nil {
		if s != nil {
			s.inUse.Store(true)
		}
		return mergeSchema().kinds[key]
	}
	if t := s.custom.kinds[key]; t != nil || !s.builtin {
		return t
	}
	return mergeSchema().kinds[key]
}

// clusterScoped holds for kinds that are known to have no namespace.
func (s *schemas) clusterScoped(g gvk) bool {
	if clusterScoped(g) {
		return true
	}
	if s == nil || s.custom == nil {
		return false
	}
	namespaced, known := s.custom.namespaced[g.apiVersion()+":"+g.Kind]
	return known && !namespaced
}

// customSchema is what an OpenAPI document says of its kinds.
type customSchema struct {
	kinds      map[string]*mergeType
	namespaced map[string]bool
}

// apiSchema is a type of an OpenAPI document, as far as merges ask for it.
type apiSchema struct {
	Ref        string                `json:"$ref"`
	Type       any                   `json:"type"`
	Properties map[string]*apiSchema `json:"properties"`
	// Other and Items are types, or something else that does not matter.
	Other    json.RawMessage `json:"additionalProperties"`
	Items    json.RawMessage `json:"items"`
	Strategy string          `json:"x-kubernetes-patch-strategy"`
	Key      string          `json:"x-kubernetes-patch-merge-key"`
	Keys     []string        `json:"x-kubernetes-list-map-keys"`
	Kinds    json.RawMessage `json:"x-kubernetes-group-version-kind"`
}

type apiDocument struct {
	Definitions map[string]*apiSchema `json:"definitions"`
	Paths       map[string]struct {
		Get *struct {
			Kind json.RawMessage `json:"x-kubernetes-group-version-kind"`
		} `json:"get"`
	} `json:"paths"`
}

func parseSchema(data []byte, builtin bool) (*customSchema, error) {
	if len(data) > 0 && data[0] != '{' {
		var err error
		if data, err = yaml.YAMLToJSON(data); err != nil {
			return nil, err
		}
	}
	var doc apiDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	r := schemaReader{definitions: doc.Definitions, types: map[string]*mergeType{}, builtin: builtin}
	c := &customSchema{kinds: map[string]*mergeType{}, namespaced: map[string]bool{}}
	for name, def := range doc.Definitions {
		for _, g := range kindsOf(def.Kinds) {
			c.kinds[g.apiVersion()+":"+g.Kind] = r.named(name)
		}
	}
	for path, p := range doc.Paths {
		if p.Get == nil {
			continue
		}
		for _, g := range kindsOf(p.Get.Kind) {
			key := g.apiVersion() + ":" + g.Kind
			c.namespaced[key] = c.namespaced[key] || strings.Contains(path, "namespaces/{namespace}")
		}
	}
	return c, nil
}

// kindsOf reads an extension that holds a kind or a list of them.
func kindsOf(data json.RawMessage) []gvk {
	var list []gvk
	if json.Unmarshal(data, &list) == nil {
		return list
	}
	var one gvk
	if json.Unmarshal(data, &one) == nil {
		return []gvk{one}
	}
	return nil
}

// schemaReader turns definitions into types, each once since they refer to each other in circles.
type schemaReader struct {
	definitions map[string]*apiSchema
	types       map[string]*mergeType
	// builtin holds if the definitions of Kubernetes count, before those of the document.
	builtin bool
}

const definitionPrefix = "#/definitions/"

func (r *schemaReader) named(name string) *mergeType {
	if t := r.types[name]; t != nil {
		return t
	}
	if t := r.kubernetes(name); t != nil {
		return t
	}
	t := &mergeType{fields: map[string]mergeField{}}
	r.types[name] = t
	r.fill(t, r.definitions[name])
	return t
}

func (r *schemaReader) kubernetes(name string) *mergeType {
	if !r.builtin || !strings.HasPrefix(name, "io.k8s.") {
		return nil
	}
	return mergeSchema().types[name[strings.LastIndexByte(name, '.')+1:]]
}

func (r *schemaReader) fill(t *mergeType, s *apiSchema) {
	for name, p := range s.Properties {
		if f, ok := r.field(p); ok {
			t.fields[name] = f
		}
	}
	if other := schemaIn(s.Other); other != nil {
		if f, ok := r.field(other); ok {
			t.other = &f
		}
	}
}

// resolve follows references. Those that lead nowhere leave a field without a type.
func (r *schemaReader) resolve(s *apiSchema) (resolved *apiSchema, name string) {
	for range len(r.definitions) + 1 {
		if s == nil || s.Ref == "" {
			return s, name
		}
		name = strings.TrimPrefix(s.Ref, definitionPrefix)
		if s = r.definitions[name]; r.kubernetes(name) != nil {
			return &apiSchema{}, name
		}
	}
	return nil, ""
}

func (r *schemaReader) field(s *apiSchema) (f mergeField, ok bool) {
	s, name := r.resolve(s)
	if s == nil {
		return f, false
	}
	if slices.Contains(strings.Split(s.Strategy, ","), "merge") {
		f.list = true
		f.keys = s.Keys
		if f.keys == nil && s.Key != "" {
			f.keys = []string{s.Key}
		}
		if items := schemaIn(s.Items); items != nil && isArray(s.Type) {
			if items, name = r.resolve(items); items != nil {
				f.typ = r.typeOf(items, name)
			}
		}
		return f, true
	}
	f.typ = r.typeOf(s, name)
	return f, true
}

func (r *schemaReader) typeOf(s *apiSchema, name string) *mergeType {
	if name != "" {
		return r.named(name)
	}
	t := &mergeType{fields: map[string]mergeField{}}
	r.fill(t, s)
	return t
}

func isArray(t any) bool {
	if list, ok := t.([]any); ok && len(list) == 1 {
		t = list[0]
	}
	return t == "array"
}

// schemaIn reads a type where there may be something else.
func schemaIn(data json.RawMessage) *apiSchema {
	if len(data) == 0 || data[0] != '{' {
		return nil
	}
	s := &apiSchema{}
	if json.Unmarshal(data, s) != nil {
		return nil
	}
	return s
}
