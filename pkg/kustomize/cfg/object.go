// Package cfg reads files of resources as people keep them, with comments, and finds and prints what is in them: what
// "kustomize cfg" does. It renders nothing, and knows no flags.
package cfg

import (
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Object is a document with its comments.
type Object struct {
	doc  *yaml.Node // the document, whose comments lie before and after all
	root *yaml.Node
}

// The annotations of what was read say where; each has an old name.
const (
	internal  = "internal.config.kubernetes.io/"
	legacy    = "config.kubernetes.io/"
	pathKey   = internal + "path"
	indexKey  = internal + "index"
	oldPath   = legacy + "path"
	oldIndex  = legacy + "index"
	seqIndent = internal + "seqindent"
	localKey  = legacy + "local-config"
)

// field gives a value of a map, nil without it.
func field(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func text(n *yaml.Node) string {
	if n == nil || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

func (o *Object) apiVersion() string { return text(field(o.root, "apiVersion")) }
func (o *Object) kind() string       { return text(field(o.root, "kind")) }
func (o *Object) meta() *yaml.Node   { return field(o.root, "metadata") }
func (o *Object) name() string       { return text(field(o.meta(), "name")) }
func (o *Object) namespace() string  { return text(field(o.meta(), "namespace")) }
func (o *Object) path() string       { return o.annotation(pathKey) }
func (o *Object) annotation(key string) string {
	return text(field(field(o.meta(), "annotations"), key))
}

// annotate sets an annotation, in the quotes that kustomize gives it.
func (o *Object) annotate(key, value string) {
	annotations := mapping(mapping(o.root, "metadata"), "annotations")
	if v := field(annotations, key); v != nil {
		v.Value, v.Tag = value, "!!str"
		return
	}
	annotations.Content = append(annotations.Content,
		&yaml.Node{Kind: yaml.ScalarNode, Value: key},
		&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Style: yaml.SingleQuotedStyle})
}

// mapping gives a map in a map. What is empty makes room for a new one at the end.
func mapping(n *yaml.Node, name string) *yaml.Node {
	if v := field(n, name); v != nil && v.Kind == yaml.MappingNode && len(v.Content) > 0 {
		return v
	}
	remove(n, name)
	v := &yaml.Node{Kind: yaml.MappingNode}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, v)
	return v
}

// forget takes annotations out, and what is empty then.
func (o *Object) forget(keys ...string) {
	meta := o.meta()
	annotations := field(meta, "annotations")
	for _, key := range keys {
		remove(annotations, key)
	}
	if annotations != nil && len(annotations.Content) == 0 {
		remove(meta, "annotations")
	}
	if meta != nil && len(meta.Content) == 0 {
		remove(o.root, "metadata")
	}
}

func remove(n *yaml.Node, name string) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}

// line prints a node on one line, for a person and for patterns.
func line(n *yaml.Node) (string, error) {
	style := n.Style
	defer func() { n.Style = style }()
	n.Style = yaml.FlowStyle
	out, err := encode(n)
	return strings.TrimSpace(out), err
}

func encode(n *yaml.Node) (string, error) {
	var out strings.Builder
	enc := newEncoder(&out)
	if err := enc.Encode(n); err != nil {
		return "", err
	}
	return out.String(), enc.Close()
}

func newEncoder(w io.Writer) *yaml.Encoder {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	return enc
}

// Local keeps the objects that are there for tools alone, or the others, or both.
func Local(objects []*Object, local, others bool) []*Object {
	return slices.DeleteFunc(objects, func(o *Object) bool {
		if field(field(o.meta(), "annotations"), localKey) != nil {
			return !local
		}
		return !others
	})
}

// StripComments takes out all comments but those before and after the whole.
func StripComments(objects []*Object) {
	for _, o := range objects {
		strip(o.root)
	}
}

func strip(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	for _, c := range n.Content {
		strip(c)
	}
}
