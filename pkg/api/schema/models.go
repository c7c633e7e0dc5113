package schema

import (
	"bytes"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

const (
	refPrefix = `"$ref":"#/components/schemas/`
	kindsKey  = `"x-kubernetes-group-version-kind":`
)

// Models gives the decoded schemas of a kind and of all that it refers to, by model name. Nothing else of the group version is
// decoded: all of it takes 50 ms.
func Models(kind schema.GroupVersionKind) (map[string]*spec.Schema, error) {
	name, err := Name(kind.GroupVersion(), kind)
	if err != nil {
		return nil, err
	}
	parts, err := open(kind.GroupVersion()).parts()
	if err != nil {
		return nil, err
	}
	models := map[string]*spec.Schema{}
	return models, follow(parts, name, models)
}

// follow decodes a model and those that it refers to.
func follow(parts map[string][]byte, name string, models map[string]*spec.Schema) error {
	if models[name] != nil {
		return nil
	}
	part, ok := parts[name]
	if !ok {
		return fmt.Errorf("decode schemas: there is no %s", name)
	}
	model := &spec.Schema{}
	if err := model.UnmarshalJSON(part); err != nil {
		return fmt.Errorf("decode schema %s: %w", name, err)
	}
	models[name] = model
	for {
		_, rest, found := bytes.Cut(part, []byte(refPrefix))
		if !found {
			return nil
		}
		ref, rest, found := bytes.Cut(rest, []byte(`"`))
		if !found {
			return fmt.Errorf("decode schema %s: a reference without an end", name)
		}
		if err := follow(parts, string(ref), models); err != nil {
			return err
		}
		part = rest
	}
}

// split cuts a JSON object into its members without decoding them.
func split(raw []byte) (map[string][]byte, error) {
	parts := map[string][]byte{}
	for at := 1; at < len(raw) && raw[at] != '}'; at++ { // past the opening brace, then past each comma
		key := at + stringEnd(raw[at:])
		if key >= len(raw) || raw[key] != ':' {
			return nil, fmt.Errorf("decode schemas: no member at byte %d", at)
		}
		name := string(raw[at+1 : key-1])
		at = key + 1 + valueEnd(raw[key+1:])
		parts[name] = raw[key+1 : at]
		if at < len(raw) && raw[at] == '}' {
			return parts, nil
		}
	}
	return parts, nil
}

// valueEnd gives the length of the JSON object or array that b starts with.
func valueEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += stringEnd(b[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

// stringEnd gives the length of the JSON string that b starts with, quotes and all.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// indexKinds reads only what says which kinds a model is.
func indexKinds(parts map[string][]byte) (map[schema.GroupVersionKind]string, error) {
	index := map[schema.GroupVersionKind]string{}
	for name, part := range parts {
		_, rest, found := bytes.Cut(part, []byte(kindsKey))
		if !found {
			continue
		}
		var kinds []schema.GroupVersionKind
		if err := json.Unmarshal(rest[:valueEnd(rest)], &kinds); err != nil {
			return nil, fmt.Errorf("decode the kinds of schema %s: %w", name, err)
		}
		for _, k := range kinds {
			index[k] = name
		}
	}
	return index, nil
}
