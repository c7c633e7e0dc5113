package cfg

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ParsePath takes a path apart: a.b[name=x].c; a dot that belongs to a name is written "\.".
func ParsePath(path string) ([]string, error) {
	const dot = "\x00"
	var out []string
	for part := range strings.SplitSeq(strings.ReplaceAll(path, `\.`, dot), ".") {
		part = strings.ReplaceAll(part, dot, ".")
		switch at := strings.IndexByte(part, '['); {
		case at < 0:
			out = append(out, part)
		case strings.Count(part, "[") > 1:
			return nil, fmt.Errorf("unrecognized path element: %s.  Should be of the form 'list[field=value]'", part)
		default:
			out = append(out, part[:at], part[at:])
		}
	}
	return out, nil
}

// match is a node that a path leads to, with the values that chose elements of lists on the way, the last first.
type match struct {
	node *yaml.Node
	keys []string
}

// lookup follows a path. An element of a list is chosen by number, by [field=pattern], by [=pattern], or * for each.
func lookup(n *yaml.Node, path []string) ([]match, error) {
	if len(path) == 0 {
		return []match{{node: n}}, nil
	}
	part, rest := path[0], path[1:]
	switch index, err := strconv.Atoi(part); {
	case err == nil && index >= 0:
		if n.Kind != yaml.SequenceNode {
			return nil, wrongKind(n, "SequenceNode")
		}
		if index >= len(n.Content) {
			return nil, fmt.Errorf("index %d specified but only %d elements found", index, len(n.Content))
		}
		return lookup(n.Content[index], rest)
	case part == "*" || strings.HasPrefix(part, "[") && strings.HasSuffix(part, "]"):
		return elements(n, part, rest)
	}
	if n.Kind != yaml.MappingNode {
		return nil, wrongKind(n, "MappingNode")
	}
	v := field(n, part)
	if v == nil {
		return nil, nil
	}
	if v.Kind == yaml.ScalarNode && len(rest) > 0 {
		// A text can hold a document of its own.
		var inner yaml.Node
		if err := yaml.Unmarshal([]byte(v.Value), &inner); err != nil {
			return nil, err
		}
		if len(inner.Content) == 1 {
			v = inner.Content[0]
		}
	}
	return lookup(v, rest)
}

// elements follows a path from every element of a list that is chosen.
func elements(n *yaml.Node, part string, rest []string) ([]match, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, wrongKind(n, "SequenceNode")
	}
	name, pattern, ok := "", "", true
	if part != "*" {
		if name, pattern, ok = strings.Cut(part[1:len(part)-1], "="); !ok {
			return nil, errors.New("list path element must contain fieldName=fieldValue for element to match")
		}
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	var out []match
	for _, e := range n.Content {
		key, v := part, e
		if part != "*" {
			if name != "" {
				v = field(e, name)
			}
			if v == nil {
				continue
			}
			s, err := encode(v)
			if err != nil {
				return nil, err
			}
			if key = strings.TrimSpace(s); !re.MatchString(key) {
				continue
			}
			if name == "" {
				out = append(out, match{node: e})
				continue
			}
		}
		found, err := lookup(e, rest)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			out = append(out, match{f.node, append(f.keys, key)})
		}
	}
	return out, nil
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "MappingNode"
	case yaml.SequenceNode:
		return "SequenceNode"
	}
	return "ScalarNode"
}

func wrongKind(n *yaml.Node, want string) error {
	s, _ := encode(n)
	return fmt.Errorf("wrong node kind: expected %s but got %s: node contents:\n%s", want, kindName(n), s)
}
