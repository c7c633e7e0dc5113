package kustomize

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// appendJSON prints a node as encoding/json would print what it holds: keys sorted.
func appendJSON(out []byte, n *node) ([]byte, error) { return appendValue(out, n, false) }

// appendValue does so with what may be in braces or brackets.
func appendValue(out []byte, n *node, flow bool) ([]byte, error) {
	var err error
	flow = flow || n.braced()
	switch {
	case n == nil:
		return append(out, "null"...), nil
	case n.kind == seqKind:
		out = append(out, '[')
		for i, item := range n.items {
			if i > 0 {
				out = append(out, ',')
			}
			if out, err = appendValue(out, item, flow); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	case n.kind == mapKind:
		return appendObject(out, n, flow)
	}
	if s, ok := n.string(); ok {
		return appendString(out, s)
	}
	v, err := n.scalar(flow)
	if err != nil {
		return nil, err
	}
	if s, ok := v.(string); ok {
		return appendString(out, s)
	}
	b, err := json.Marshal(v)
	return append(out, b...), err
}

func appendString(out []byte, s string) ([]byte, error) {
	start, from := len(out), 0
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n':
			// Whole files stand in patches and config maps, so lines are worth it.
			out = append(append(out, s[from:i]...), `\n`...)
			from = i + 1
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			b, err := json.Marshal(s)
			return append(out[:start], b...), err
		}
	}
	return append(append(out, s[from:]...), '"'), nil
}

func appendObject(out []byte, n *node, flow bool) (_ []byte, err error) {
	order := keyOrder(n.keys, strings.Compare)
	out = append(out, '{')
	for i := range n.keys {
		at := i
		if order != nil {
			at = order[i]
		}
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = appendString(out, n.keys[at]); err != nil {
			return nil, err
		}
		out = append(out, ':')
		if out, err = appendValue(out, n.items[at], flow); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// fromJSON reads a JSON document.
func fromJSON(data []byte) (*node, error) {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	return fromValue(v), nil
}

func fromValue(v any) *node {
	switch v := v.(type) {
	case nil:
		return newScalar(nullTag, "null")
	case bool:
		return newScalar(boolTag, fmt.Sprint(v))
	case float64:
		// All numbers are floats here, as in kustomize, and so are written like them.
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return newScalar(intTag, text)
		}
		return newScalar(floatTag, text)
	case string:
		return fromText(v)
	case []any:
		n := &node{kind: seqKind, style: emptyStyle(len(v)), items: make([]*node, len(v))}
		for i, item := range v {
			n.items[i] = fromValue(item)
		}
		return n
	case map[string]any:
		n := &node{kind: mapKind, style: emptyStyle(len(v)), keys: make([]string, 0, len(v)), items: make([]*node, 0, len(v))}
		for k, item := range v {
			n.keys = append(n.keys, k)
			n.items = append(n.items, fromValue(item))
		}
		return n
	default:
		return newString(fmt.Sprint(v))
	}
}

// fromText is a string in the style that kustomize writes it in.
func fromText(s string) *node {
	return &node{tag: strTag, value: s, style: analyse(s).style(s, false)}
}

// emptyStyle is that of a collection with so many items: only without any it is in braces or brackets.
func emptyStyle(items int) style {
	if items == 0 {
		return flowStyle
	}
	return plainStyle
}

// rewritten gives a value as it is after kustomize has written it as JSON and read that as YAML.
func (n *node) rewritten() (*node, error) {
	if n.kind == scalarKind {
		v, err := n.asRead()
		if err != nil {
			return nil, err
		}
		var w *node
		switch v := v.(type) {
		case nil:
			w = newScalar(nullTag, "null")
		case bool:
			w = newScalar(boolTag, strconv.FormatBool(v))
		case string:
			w = &node{tag: strTag, value: v, style: doubleStyle}
		default:
			text, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			w = newScalar(plainTag(string(text)), string(text))
			if w.value == "-0" {
				// An integer would be 0.
				w.tag = floatTag
			}
		}
		w.line = n.line
		return w, nil
	}
	items, err := n.rewrittenItems()
	if err != nil {
		return nil, err
	}
	return &node{kind: n.kind, style: flowStyle, line: n.line, keys: n.keys, items: items}, nil
}

func (n *node) rewrittenItems() ([]*node, error) {
	out := make([]*node, len(n.items))
	for i, item := range n.items {
		if n.kind == mapKind {
			if err := n.checkKey(i, false); err != nil {
				return nil, err
			}
		}
		again, err := item.rewritten()
		if err != nil {
			return nil, err
		}
		out[i] = again
	}
	return out, nil
}

// asRead gives what a scalar stands for before it has been written as YAML once.
func (n *node) asRead() (any, error) {
	m := *n
	if m.quoted() {
		m.style = m.style&^quotes | doubleStyle
	}
	return m.resolved(false)
}

// checkRead refuses a value that holds a scalar that is not what its tag says, or a key twice.
func (n *node) checkRead() error {
	if n.kind == scalarKind {
		_, err := n.asRead()
		return err
	}
	for i, item := range n.items {
		if n.doubled() {
			if err := n.checkKey(i, true); err != nil {
				return err
			}
		}
		if err := item.checkRead(); err != nil {
			return err
		}
	}
	return nil
}
