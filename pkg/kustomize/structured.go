package kustomize

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// setStructured sets a field inside JSON or YAML text that a scalar of the document holds. It is not done if the path does
// not lead to one through such a scalar: then it may still mean something else.
func setStructured(root *node, path []string, value, create *node) (done bool) {
	for i := 1; i < len(path); i++ {
		at, err := root.lookup(path[:i])
		if err != nil || at == nil || at.kind != scalarKind {
			continue
		}
		return setInText(at, path[i:], value, create) == nil
	}
	return false
}

func setInText(at *node, path []string, value, create *node) error {
	trimmed := strings.TrimSpace(at.value)
	if trimmed == "" {
		return errors.New("the text there is empty")
	}
	if trimmed[0] == '{' || trimmed[0] == '[' {
		return setInJSON(at, path, value, create)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(at.value), &doc); err != nil {
		return err
	}
	if len(doc.Content) == 0 {
		return errors.New("the text there is empty")
	}
	if doc.Content[0].Tag == "!!null" && create != nil {
		// kustomize makes fields below null, but null is written as ever.
		return nil
	}
	if err := setInYAML(doc.Content[0], path, value.value, create != nil && create.kind == scalarKind); err != nil {
		return err
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	if err := enc.Encode(&doc); err != nil {
		return err
	}
	at.value = strings.TrimSpace(b.String())
	return nil
}

// setInYAML keeps the comments and the order of the text, so it works on the library's nodes.
func setInYAML(n *yaml.Node, path []string, value string, create bool) error {
	for i, step := range path {
		var next *yaml.Node
		switch n.Kind {
		case yaml.MappingNode:
			for k := 0; k+1 < len(n.Content); k += 2 {
				if n.Content[k].Value == step {
					next = n.Content[k+1]
				}
			}
		case yaml.SequenceNode:
			next = stepInto(n, step)
		}
		if next == nil && create && n.Kind == yaml.MappingNode && !strings.HasPrefix(step, "[") {
			next = &yaml.Node{Kind: yaml.ScalarNode}
			if i < len(path)-1 {
				next.Kind = yaml.MappingNode
			}
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: step}, next)
		}
		if next == nil {
			return errors.New("no " + step + " in the text there")
		}
		n = next
	}
	if n.Kind != yaml.ScalarNode {
		return errors.New("the field in the text there is no scalar")
	}
	n.Value = value
	return nil
}

func stepInto(n *yaml.Node, step string) *yaml.Node {
	field, value, err := splitListStep(step)
	for i, item := range n.Content {
		if isIndex(step) && step == itoa(i) {
			return item
		}
		if err != nil || item.Kind != yaml.MappingNode {
			continue
		}
		for k := 0; k+1 < len(item.Content); k += 2 {
			if item.Content[k].Value == field && item.Content[k+1].Value == value {
				return item
			}
		}
	}
	return nil
}

func itoa(i int) string { return formatNumber(int64(i)) }

func setInJSON(at *node, path []string, value, create *node) error {
	doc, err := readDocument(at.value, 0)
	if err != nil {
		return err
	}
	m := matcher{create: create}
	if err := m.match(doc, path); err != nil {
		return err
	}
	if len(m.found) == 0 {
		return errors.New("no such field in the text there")
	}
	for _, field := range m.found {
		if field.kind == scalarKind {
			field.value = value.value
		} else {
			*field = *value.copy()
		}
	}
	out, err := appendJSON(nil, doc)
	if err != nil {
		return err
	}
	if strings.Contains(at.value, "\n") && strings.Contains(at.value, "  ") {
		var b bytes.Buffer
		if err := json.Indent(&b, out, "", "  "); err != nil {
			return err
		}
		out = b.Bytes()
	}
	at.value = string(out)
	return nil
}
