package explain

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// node is a schema as far as explain goes by it.
type node struct {
	Ref          string           `json:"$ref"`
	Type         string           `json:"type"`
	Description  string           `json:"description"`
	Properties   map[string]*node `json:"properties"`
	Required     []string         `json:"required"`
	Items        *node            `json:"items"`
	AllOf        []*node          `json:"allOf"`
	Enum         []any            `json:"enum"`
	Additional   additional       `json:"additionalProperties"`
	ExternalDocs *struct {
		Description string `json:"description"`
		URL         string `json:"url"`
	} `json:"externalDocs"`
	Kinds []struct {
		Group   string `json:"group"`
		Version string `json:"version"`
		Kind    string `json:"kind"`
	} `json:"x-kubernetes-group-version-kind"`
}

// additional is additionalProperties, which may also be a bool.
type additional struct{ *node }

func (a *additional) UnmarshalJSON(data []byte) error {
	if string(data) == "true" || string(data) == "false" {
		return nil
	}
	return json.Unmarshal(data, &a.node)
}

// renderer writes one explanation.
type renderer struct {
	doc       *document
	b         strings.Builder
	recursive bool
	maxDepth  int
}

func (d *document) explain(w io.Writer, gvk schema.GroupVersionKind, fields []string, o *Options) error {
	root := d.ofKind(gvk)
	if root == nil {
		return fmt.Errorf("error: GVK %v not found in OpenAPI schema", gvk)
	}
	r := &renderer{doc: d, recursive: o.Recursive, maxDepth: o.MaxDepth}
	if gvk.Group != "" {
		fmt.Fprintf(&r.b, "GROUP:      %s\n", gvk.Group)
	}
	fmt.Fprintf(&r.b, "KIND:       %s\nVERSION:    %s\n\n", gvk.Kind, gvk.Version)
	if !r.output(root, fields, nil) {
		io.WriteString(w, r.b.String())
		return fmt.Errorf("error: field %q does not exist", fields[len(fields)-1])
	}
	r.b.WriteString("\n")
	_, err := io.WriteString(w, r.b.String())
	return err
}

func (d *document) ofKind(gvk schema.GroupVersionKind) *node {
	for _, name := range slices.Sorted(maps.Keys(d.Components.Schemas)) {
		n := d.Components.Schemas[name]
		for _, k := range n.Kinds {
			if k.Group == gvk.Group && k.Version == gvk.Version && k.Kind == gvk.Kind {
				return n
			}
		}
	}
	return nil
}

func (d *document) resolve(n *node) *node {
	if n.Ref != "" {
		if found := d.Components.Schemas[n.Ref[strings.LastIndex(n.Ref, "/")+1:]]; found != nil {
			return found
		}
	}
	return n
}

// output follows the path and writes what it leads to; false if it leads nowhere.
func (r *renderer) output(n *node, path []string, seen []string) bool {
	resolved := r.doc.resolve(n)
	if len(path) == 0 {
		r.describe(resolved)
		return true
	}
	if n.Ref != "" && slices.Contains(seen, n.Ref) {
		return false
	}
	seen = append(slices.Clone(seen), n.Ref)
	if sub := resolved.Properties[path[0]]; sub != nil {
		if len(path) == 1 {
			fmt.Fprintf(&r.b, "FIELD: %s <%s>\n%s\n\n", path[0], r.typeOf(sub), enumLong(sub))
		}
		return r.output(sub, path[1:], nil)
	}
	if resolved.Items != nil {
		return r.output(resolved.Items, path, seen)
	}
	if resolved.Additional.node != nil {
		return r.output(resolved.Additional.node, path, seen)
	}
	for _, alternative := range resolved.AllOf {
		if r.output(alternative, path, seen) {
			return true
		}
	}
	return false
}

func (r *renderer) describe(n *node) {
	text := r.description(n)
	if text == "" {
		text = "<empty>"
	}
	r.b.WriteString("DESCRIPTION:\n" + indent(4, wrap(76, text)) + "\n")
	if d := n.ExternalDocs; d != nil {
		r.b.WriteString("\nEXTERNAL DOCS:\n")
		if d.Description != "" {
			r.b.WriteString(indent(4, wrap(76, d.Description)) + "\n")
		}
		if d.URL != "" {
			r.b.WriteString("    URL: " + d.URL + "\n")
		}
	}
	before := r.b.Len()
	r.b.WriteString("FIELDS:\n")
	start := r.b.Len()
	r.fields(n, 1, nil)
	if r.b.Len() == start {
		text := r.b.String()[:before]
		r.b.Reset()
		r.b.WriteString(text)
	}
}

// description gathers the texts of a schema and of what it wraps.
func (r *renderer) description(n *node) string {
	n = r.doc.resolve(n)
	text := ""
	if n.Description != "" {
		text = n.Description + "\n"
	}
	for _, a := range n.AllOf {
		text += r.description(a)
	}
	if n.Items != nil {
		text += r.description(n.Items)
	}
	if n.Additional.node != nil {
		text += r.description(n.Additional.node)
	}
	return text
}

func (r *renderer) fields(n *node, level int, seen []string) {
	if n.Ref != "" && slices.Contains(seen, n.Ref) {
		return
	}
	if n.Ref != "" {
		seen = append(slices.Clone(seen), n.Ref)
	}
	n = r.doc.resolve(n)
	for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
		r.field(n, name, level)
		if r.recursive && (r.maxDepth == 0 || level < r.maxDepth) {
			r.fields(n.Properties[name], level+1, seen)
		}
	}
	for _, a := range n.AllOf {
		r.fields(a, level, seen)
	}
	if n.Items != nil {
		r.fields(n.Items, level, seen)
	}
	if n.Additional.node != nil {
		r.fields(n.Additional.node, level, seen)
	}
}

func (r *renderer) field(parent *node, name string, level int) {
	n, in := parent.Properties[name], level*2
	fmt.Fprintf(&r.b, "%s%s\t<%s>", strings.Repeat(" ", in), name, r.typeOf(n))
	if slices.Contains(parent.Required, name) {
		r.b.WriteString(" -required-")
	}
	r.b.WriteString(enumShort(n, in) + "\n")
	if r.recursive {
		return
	}
	text := n.Description
	if text == "" {
		text = "<no description>"
	}
	r.b.WriteString(indent(in+2, wrap(78-in, text)) + "\n\n")
}

// typeOf guesses what a person would call a schema's type.
func (r *renderer) typeOf(n *node) string {
	switch {
	case n.Items != nil:
		return "[]" + r.typeOf(n.Items)
	case n.Additional.node != nil:
		return "map[string]" + r.typeOf(n.Additional.node)
	case len(n.AllOf) == 1 && len(n.Properties) == 0:
		return r.typeOf(n.AllOf[0])
	case n.Ref != "":
		if target := r.doc.resolve(n); target != n && target.Type != "" && target.Type != "object" {
			return target.Type
		}
		name := n.Ref[strings.LastIndex(n.Ref, "/")+1:]
		return name[strings.LastIndex(name, ".")+1:]
	case n.Type == "" || n.Type == "object":
		return "Object"
	}
	return n.Type
}

func enumText(v any) string {
	if v == "" {
		return `""`
	}
	return fmt.Sprint(v)
}

// maxEnum is how many values a list of fields shows.
const maxEnum = 4

func enumShort(n *node, in int) string {
	if len(n.Enum) == 0 {
		return ""
	}
	out := "\n" + strings.Repeat(" ", in) + "enum: "
	for i, v := range n.Enum {
		if i >= maxEnum {
			return out + ", ...."
		}
		if i > 0 {
			out += ", "
		}
		out += enumText(v)
	}
	return out
}

func enumLong(n *node) string {
	if len(n.Enum) == 0 {
		return ""
	}
	out := "ENUM:"
	for _, v := range n.Enum {
		out += "\n    " + enumText(v)
	}
	return out
}
