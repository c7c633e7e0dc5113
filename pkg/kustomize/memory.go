package kustomize

import "go.yaml.in/yaml/v3"

// inMemory gives a value as kustomize has it in memory, which is what it hashes of most kinds.
func (n *node) inMemory() *yaml.Node {
	was := n.read()
	if was == nil {
		was = &yaml.Node{}
	}
	y := &yaml.Node{HeadComment: was.HeadComment, LineComment: was.LineComment, FootComment: was.FootComment, Line: was.Line, Column: was.Column, Style: yaml.Style(n.style)}
	if n.kind == scalarKind {
		y.Kind, y.Value, y.Tag = yaml.ScalarNode, n.value, n.tagFrom(was)
		return y
	}
	y.Kind, y.Tag = yaml.MappingNode, was.Tag
	if n.kind == seqKind {
		y.Kind = yaml.SequenceNode
	}
	if was.Kind == yaml.ScalarNode {
		// What was null keeps how it was written.
		y.Value, y.Tag = was.Value, ""
		if n.kind == mapKind {
			y.Tag = "!!map"
		}
	}
	if n.kind == mapKind && n.items != nil && len(was.Content) > 0 {
		// Once it had fields, it has none in another way.
		y.Content = []*yaml.Node{}
	}
	for i, item := range n.items {
		if n.kind == mapKind {
			y.Content = append(y.Content, item.keyNode(n.keys[i], was))
		}
		y.Content = append(y.Content, item.inMemory())
	}
	return y
}

// tagFrom is a scalar's tag. What transformers put in often has none.
func (n *node) tagFrom(was *yaml.Node) string {
	switch {
	case was.Kind == yaml.ScalarNode && n.tag == tagOf(was):
		return was.Tag
	case n.tag == autoTag:
		return ""
	}
	return n.tag.String()
}

// keyNode is the key of a value in a mapping.
func (n *node) keyNode(key string, mapping *yaml.Node) *yaml.Node {
	if n.look&madeKey == 0 {
		if y := findKey(mapping, key); y != nil {
			return y
		}
	}
	y := &yaml.Node{Kind: yaml.ScalarNode, Value: key}
	switch {
	case n.look&singleQuotedKey != 0:
		y.Style = yaml.SingleQuotedStyle
	case n.look&doubleQuotedKey != 0:
		y.Style = yaml.DoubleQuotedStyle
	}
	return y
}

// findKey finds a key in a mapping, or in those that it merges.
func findKey(y *yaml.Node, key string) *yaml.Node {
	if y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	if y.Kind == yaml.SequenceNode {
		for _, each := range y.Content {
			if found := findKey(each, key); found != nil {
				return found
			}
		}
		return nil
	}
	var merged *yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		k := y.Content[i]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		switch {
		case k.Tag == "!!merge":
			merged = y.Content[i+1]
		case k.Value == key:
			bare := *k
			bare.Anchor = ""
			return &bare
		}
	}
	if merged != nil {
		return findKey(merged, key)
	}
	return nil
}
