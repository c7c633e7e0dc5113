package cfg

import (
	"io"
	"os"

	"go.yaml.in/yaml/v3"
)

// Output says how objects are printed.
type Output struct {
	Positions  bool       // keep the annotations that say where an object was read
	Paths      bool       // without Positions: keep those of its file
	Style      yaml.Style // of the outermost map, 0 for its own
	Kind       string     // wrap all in an object of this kind
	APIVersion string
	Function   *Object // goes into that object
}

// Style reads names of styles; others have no effect.
func Style(names []string) (s yaml.Style) {
	styles := map[string]yaml.Style{
		"TaggedStyle": yaml.TaggedStyle, "DoubleQuotedStyle": yaml.DoubleQuotedStyle, "SingleQuotedStyle": yaml.SingleQuotedStyle,
		"LiteralStyle": yaml.LiteralStyle, "FoldedStyle": yaml.FoldedStyle, "FlowStyle": yaml.FlowStyle,
	}
	for _, name := range names {
		s |= styles[name]
	}
	return s
}

// Write prints objects.
func (p *Output) Write(w io.Writer, objects []*Object) error {
	for _, o := range objects {
		if !p.Positions {
			o.forget(oldIndex, indexKey, seqIndent)
			if !p.Paths {
				o.forget(oldPath, pathKey)
			}
		}
		o.forget()
		if p.Style != 0 {
			o.root.Style = p.Style
		}
	}
	enc := newEncoder(w)
	if p.Kind != "" {
		if err := enc.Encode(p.wrap(objects)); err != nil {
			return err
		}
		return enc.Close()
	}
	for _, o := range objects {
		if err := enc.Encode(o.doc); err != nil {
			return err
		}
	}
	return enc.Close()
}

func (p *Output) wrap(objects []*Object) *yaml.Node {
	word := func(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }
	items := &yaml.Node{Kind: yaml.SequenceNode}
	for _, o := range objects {
		items.Content = append(items.Content, o.root)
	}
	list := &yaml.Node{Kind: yaml.MappingNode, Style: p.Style, Content: []*yaml.Node{
		word("apiVersion"), word(p.APIVersion), word("kind"), word(p.Kind), word("items"), items,
	}}
	if p.Function != nil {
		list.Content = append(list.Content, word("functionConfig"), p.Function.root)
	}
	return list
}

// Function reads the one object of a file, to be told to functions.
func Function(path string, positions bool) ([]*Object, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	objects, err := Package(path, true)
	if !positions {
		for _, o := range objects {
			o.forget(oldIndex, indexKey, oldPath, pathKey)
		}
	}
	return objects, err
}
