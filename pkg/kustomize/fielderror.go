package kustomize

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// explainField adds to an error of the decoder the line of the field, and what would be right.
func explainField(err error, data []byte) error {
	l := newLines(data)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		path := strings.Split(wrong.Field, ".")
		line := l.mistyped(l.root(), path, wrong.Type)
		if line == 0 {
			// What was read as YAML 1.1, where yes is no text, looks right here.
			line = l.line(path[0])
		}
		hint := ""
		if wrong.Type.Kind() == reflect.String && wrong.Value != "object" && wrong.Value != "array" {
			hint = ": quote it"
		}
		return fmt.Errorf("%w (line %d)%s", err, line, hint)
	}
	_, field, ok := strings.Cut(err.Error(), `unknown field "`)
	if !ok {
		return err
	}
	field = strings.TrimSuffix(field, `"`)
	hint := ""
	if near := nearest(field, knownFields(reflect.TypeFor[Kustomization]())); near != "" && near != field {
		hint = ": did you mean " + near + "?"
	}
	return fmt.Errorf("%w (line %d)%s", err, keyLine(l.root(), field), hint)
}

// mistyped finds the line of the first value under a path that is not of a type.
func (l *lines) mistyped(n *yaml.Node, path []string, t reflect.Type) int {
	if n == nil {
		return 0
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.SequenceNode && (len(path) > 0 || t.Kind() != reflect.Slice) {
		for _, item := range n.Content {
			if line := l.mistyped(item, path, t); line > 0 {
				return line
			}
		}
		return 0
	}
	if len(path) == 0 {
		if n.Kind == yaml.MappingNode && t.Kind() == reflect.String {
			for i := 1; i < len(n.Content); i += 2 {
				if !fits(n.Content[i], t) {
					return n.Content[i].Line
				}
			}
		}
		if fits(n, t) {
			return 0
		}
		return n.Line
	}
	next, _ := child(n, path[0])
	return l.mistyped(next, path[1:], t)
}

func fits(n *yaml.Node, t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String:
		return n.Tag == "!!str" || n.Tag == "!!null"
	case reflect.Bool:
		return n.Tag == "!!bool"
	case reflect.Int, reflect.Int64:
		return n.Tag == "!!int"
	case reflect.Slice:
		return n.Kind == yaml.SequenceNode
	}
	return n.Kind == yaml.MappingNode
}

// keyLine finds the line of a key, wherever it is.
func keyLine(n *yaml.Node, key string) int {
	if n == nil {
		return 0
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if c.Value == key {
				return c.Line
			}
			continue
		}
		if line := keyLine(c, key); line > 0 {
			return line
		}
	}
	return 0
}

// knownFields are those of a type and of everything below it.
func knownFields(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return knownFields(t.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	var names []string
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
		names = append(names, knownFields(f.Type)...)
	}
	return names
}
