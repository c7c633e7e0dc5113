package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// splitFieldPath cuts a path at dots that are neither escaped nor in brackets.
func splitFieldPath(path string) []string {
	parts := strings.Split(path, ".")
	if len(parts) > 1 && parts[0] == "" {
		parts = parts[1:]
	}
	joined := parts[:1:1]
	for _, p := range parts[1:] {
		if last := len(joined) - 1; strings.HasSuffix(joined[last], `\`) {
			joined[last] = strings.TrimSuffix(joined[last], `\`) + "." + p
		} else {
			joined = append(joined, p)
		}
	}
	var out []string
	for i := 0; i < len(joined); i++ {
		elem := joined[i]
		if !strings.HasPrefix(elem, "[") || strings.HasSuffix(elem, "]") {
			out = append(out, elem)
			continue
		}
		for i+1 < len(joined) {
			i++
			elem += "." + joined[i]
			if strings.HasSuffix(joined[i], "]") {
				break
			}
		}
		if !strings.Contains(elem, "=") {
			elem = strings.Trim(elem, "[]")
		}
		out = append(out, elem)
	}
	return out
}

func isListStep(s string) bool { return strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") }

func isIndex(s string) bool {
	i, ok := atoi(s)
	return ok && i >= 0
}

// atoi makes no error of what begins like a word, as nearly all steps do.
func atoi(s string) (int, bool) {
	if s == "" || s[0] > '9' {
		return 0, false
	}
	i, err := strconv.Atoi(s)
	return i, err == nil
}

func splitListStep(s string) (field, value string, err error) {
	field, value, ok := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), "=")
	if !ok {
		return "", "", fmt.Errorf("list path element must contain fieldName=fieldValue for element to match, not %q", s)
	}
	return field, value, nil
}

// lookup follows a path to one value; nil if there is none. Null is found, but has nothing below it.
func (n *node) lookup(path []string) (*node, error) { return n.follow(path, false) }

// lookupCreate makes what is missing on the way, but nothing below null and no item by number.
func (n *node) lookupCreate(path []string) (*node, error) { return n.follow(path, true) }

func (n *node) follow(path []string, create bool) (*node, error) {
	var steps []string
	for _, step := range path {
		if step = strings.TrimSpace(step); step != "" {
			steps = append(steps, step)
		}
	}
	for i, step := range steps {
		next, err := n.step(step)
		if next == nil && err == nil && create {
			next = n.grow(steps[i:])
		}
		if n = next; n == nil || err != nil {
			return nil, err
		}
	}
	return n, nil
}

// grow adds the value of the first step.
func (n *node) grow(steps []string) *node {
	step := steps[0]
	switch {
	case n.isNull() || isIndex(step) || step == "-":
		return nil
	case isListStep(step):
		field, value, _ := splitListStep(step)
		n.items = append(n.items, newItem(field, value))
	default:
		n.set(step, (&matcher{create: newAuto("")}).made(steps))
	}
	return n.items[len(n.items)-1]
}

// newItem is one that a list step finds.
func newItem(field, value string) *node {
	if field == "" {
		return newAuto(value)
	}
	item := newMap()
	item.add(field, newAuto(value))
	return item
}

// step takes one step of a lookup.
func (n *node) step(step string) (*node, error) {
	i, number := atoi(step)
	wanted := seqKind
	switch {
	case number && i < 0:
		return nil, fmt.Errorf("array index %d cannot be negative", i)
	case step == "*":
		return nil, errors.New("wildcard is not supported here: name one value")
	case !number && step != "-" && !isListStep(step):
		wanted = mapKind
	}
	if n.isNull() {
		return nil, nil
	}
	if err := sameKind(wanted, n); err != nil {
		return nil, fmt.Errorf("%s: %w", step, err)
	}
	switch {
	case wanted == mapKind:
		return n.get(step), nil
	case isListStep(step):
		field, value, err := splitListStep(step)
		return findElement(n, []string{field}, []string{value}), err
	case step == "-":
		i = len(n.items) - 1
	}
	if i < 0 || i >= len(n.items) {
		return nil, nil
	}
	return n.items[i], nil
}

// matcher finds every value that a path matches, making what is missing where create gives something.
type matcher struct {
	create *node
	found  []*node
}

func (m *matcher) match(n *node, path []string) error {
	if len(path) == 0 {
		m.found = append(m.found, n)
		return nil
	}
	switch step := path[0]; {
	case isIndex(step):
		return m.index(n, path)
	case isListStep(step):
		return m.list(n, path)
	case step == "*":
		return m.each(n, path)
	}
	if n.kind != mapKind {
		return fmt.Errorf("line %d: wrong node kind: expected MappingNode but got %s", n.line, n.describe())
	}
	field := n.get(path[0])
	if field == nil {
		if m.create == nil {
			return nil
		}
		field = m.made(path)
		n.set(path[0], field)
	}
	if field.kind == scalarKind && len(path) > 1 {
		return m.text(field, path)
	}
	return m.match(field, path[1:])
}

// text goes on in the document that a scalar may hold. What it finds there is a copy: kustomize does not write it back, and
// does not say so.
func (m *matcher) text(field *node, path []string) error {
	doc, err := readDocument(field.value, 0)
	if err != nil || doc.isNull() {
		return err
	}
	if doc.kind == scalarKind {
		return fmt.Errorf("line %d: %s is a scalar and has no %s", field.line, path[0], path[1])
	}
	return m.match(doc, path[1:])
}

// made is what a step that is missing becomes: it depends on the next one.
func (m *matcher) made(path []string) *node {
	switch {
	case len(path) == 1:
		return &node{kind: m.create.kind}
	case isListStep(path[1]) || isIndex(path[1]):
		return newSeq()
	default:
		return newMap()
	}
}

func (m *matcher) sequence(n *node, step string) error {
	if !n.isNull() && n.kind != seqKind {
		return fmt.Errorf("line %d: wrong node kind: expected SequenceNode but got %s for %s", n.line, n.describe(), step)
	}
	return nil
}

func (m *matcher) index(n *node, path []string) error {
	if err := m.sequence(n, path[0]); err != nil {
		return err
	}
	i, _ := strconv.Atoi(path[0])
	if i == len(n.items) && m.create != nil {
		n.items = append(n.items, m.made(path))
	}
	if i >= len(n.items) {
		return fmt.Errorf("index %d specified but only %d elements found", i, len(n.items))
	}
	return m.match(n.items[i], path[1:])
}

func (m *matcher) each(n *node, path []string) error {
	if err := m.sequence(n, path[0]); err != nil {
		return err
	}
	for _, item := range n.items {
		if err := m.match(item, path[1:]); err != nil {
			return err
		}
	}
	return nil
}

// list matches the items with a field of this value, or that are this value: then kustomize looks no further into them. The
// value is a regular expression for the text as the document has it, with quotes.
func (m *matcher) list(n *node, path []string) error {
	if err := m.sequence(n, path[0]); err != nil {
		return err
	}
	field, value, err := splitListStep(path[0])
	if err != nil {
		return err
	}
	re, err := regexp.Compile(value)
	if err != nil {
		return err
	}
	rest := path[1:]
	if field == "" {
		rest = nil
	}
	before, any := len(m.found), false
	for _, item := range n.items {
		at := item
		if field != "" {
			at = item.get(field)
		}
		if at == nil || !re.MatchString(at.written()) {
			continue
		}
		any = true
		if err := m.match(item, rest); err != nil {
			return err
		}
	}
	if m.create == nil || any || len(m.found) > before {
		return nil
	}
	item := newItem(field, value)
	n.items = append(n.items, item)
	return m.match(item, rest)
}

// written is a value as the document has it, as far as that is known.
func (n *node) written() string {
	if n.kind != scalarKind {
		text, _ := writeYAML(nil, n)
		return string(bytes.TrimSpace(text))
	}
	if n.style == plainStyle && (n.tag == autoTag || n.tag == plainTag(n.value)) {
		return strings.TrimSpace(n.value)
	}
	y := yaml.Node{Kind: yaml.ScalarNode, Style: yaml.Style(n.style), Value: n.value}
	if n.tag != autoTag {
		y.Tag = n.tag.String()
	}
	text, _ := yaml.Marshal(&y)
	return string(bytes.TrimSpace(text))
}
