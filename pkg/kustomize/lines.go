package kustomize

import (
	"sync"

	"go.yaml.in/yaml/v3"
)

// lines finds where in a YAML file a field stands. The file is parsed again when first asked: only traces and errors ask.
type lines struct {
	root func() *yaml.Node
}

func newLines(data []byte) *lines {
	return &lines{sync.OnceValue(func() *yaml.Node {
		var doc yaml.Node
		if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) == 0 {
			return nil
		}
		return doc.Content[0]
	})}
}

// at follows field names (string) and places in lists (int) and gives the last node that is there, with its key's line.
func (l *lines) at(path ...any) (n *yaml.Node, line int) {
	n, line, _ = l.follow(path)
	return n, line
}

// follow also tells how many steps of the path are there.
func (l *lines) follow(path []any) (n *yaml.Node, line, steps int) {
	if n = l.root(); n == nil {
		return nil, 0, 0
	}
	line = n.Line
	for i, step := range path {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		next, at := child(n, step)
		if next == nil {
			return n, line, i
		}
		n, line = next, at
	}
	return n, line, len(path)
}

func child(n *yaml.Node, step any) (*yaml.Node, int) {
	switch step := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && step < len(n.Content) {
			return n.Content[step], n.Content[step].Line
		}
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1], n.Content[i].Line
			}
		}
	}
	return nil, 0
}

func (l *lines) has(path []any) bool {
	_, _, found := l.follow(path)
	return found == len(path)
}

// line is the line of a field, 0 if it is not known.
func (l *lines) line(path ...any) int {
	_, line := l.at(path...)
	return line
}
