package kustfile

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// targets finds where a file mentions a var.
func (s source) targets(name string) ([]kustomize.ReplacementTarget, error) {
	data, err := os.ReadFile(s.path)
	if err != nil {
		return nil, nil // as hold
	}
	var out []kustomize.ReplacementTarget
	for _, object := range objects(data) {
		var found []place
		if err := find(object, mention(name), nil, &found); err != nil {
			return nil, fmt.Errorf("error with %s: %w", s.path, err)
		}
		for _, p := range found {
			t := kustomize.ReplacementTarget{Select: s.selector(object), FieldPaths: []string{p.path}}
			if p.options != (kustomize.FieldOptions{}) {
				t.Options = &p.options
			}
			out = append(out, t)
		}
	}
	return out, nil
}

// objects reads the documents of a file, and those of lists in it. What is no YAML holds none.
func objects(data []byte) []*yaml.Node {
	var out []*yaml.Node
	for dec := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var doc yaml.Node
		if dec.Decode(&doc) != nil {
			return out
		}
		if len(doc.Content) != 1 {
			continue
		}
		object := doc.Content[0]
		if items := field(object, "items"); items != nil && strings.HasSuffix(scalar(object, "kind"), "List") {
			out = append(out, items.Content...)
			continue
		}
		out = append(out, object)
	}
}

// place is a field that mentions a var, and which part of it.
type place struct {
	path    string
	options kustomize.FieldOptions
}

func find(n *yaml.Node, mention string, at []string, found *[]place) error {
	switch n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if err := find(item, mention, append(at, strconv.Itoa(i)), found); err != nil {
				return err
			}
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := strings.TrimSpace(n.Content[i].Value)
			if strings.Contains(key, ".") {
				key = "[" + key + "]"
			}
			if err := find(n.Content[i+1], mention, append(at, key), found); err != nil {
				return err
			}
		}
	case yaml.ScalarNode:
		if !strings.Contains(n.Value, mention) {
			return nil
		}
		options, err := part(n.Value, mention)
		if err != nil {
			return err
		}
		*found = append(*found, place{strings.Join(at, "."), options})
	}
	return nil
}

// part tells which part of a value a mention is: all of it, or one between delimiters.
func part(value, mention string) (o kustomize.FieldOptions, err error) {
	before, after, _ := strings.Cut(value, mention)
	switch {
	case before == "" && after == "":
		return o, nil
	case before == "":
		o.Delimiter = after[:1]
	case after == "":
		o.Delimiter = before[len(before)-1:]
		o.Index = strings.Count(value, o.Delimiter)
	default:
		o.Delimiter = before[len(before)-1:]
		if o.Delimiter != after[:1] {
			return o, fmt.Errorf("cannot convert all vars to replacements; %s is not delimited", mention)
		}
		o.Index = slices.Index(strings.Split(value, o.Delimiter), mention)
	}
	return o, nil
}

// selector says whose field it is: the object's, or for a patch whatever the patch is for.
func (s source) selector(object *yaml.Node) *kustomize.Selector {
	name, namespace, kind := metadata(object, "name"), metadata(object, "namespace"), scalar(object, "kind")
	if p := s.patch; p != nil && (p.Options == nil || !p.Options.AllowNameChange || !p.Options.AllowKindChange) {
		out := kustomize.Selector{}
		if p.Target != nil {
			out = *p.Target
		}
		if p.Options != nil && p.Options.AllowNameChange {
			out.Name = name
		}
		if p.Options != nil && p.Options.AllowKindChange {
			out.Kind = kind
		}
		if namespace != "" {
			out.Namespace = namespace
		}
		return &out
	}
	out := kustomize.Selector{}
	out.Name, out.Namespace, out.Kind = name, namespace, kind
	out.Group, out.Version = splitVersion(scalar(object, "apiVersion"))
	return &out
}

func metadata(object *yaml.Node, name string) string {
	if meta := field(object, "metadata"); meta != nil {
		return scalar(meta, name)
	}
	return ""
}

func scalar(n *yaml.Node, name string) string {
	if v := field(n, name); v != nil {
		return v.Value
	}
	return ""
}

func field(n *yaml.Node, name string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}
