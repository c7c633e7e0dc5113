package kustomize

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Bounds of what a document may grow to: an alias stands for a copy, so a few lines can stand for millions of nodes.
const (
	maxNodes = 1_000_000
	maxDepth = 1000
	// maxFileNodes bounds the values of all documents of a file together, so that memory stays bounded too.
	maxFileNodes = 2_000_000
	// maxOdd is how long a document may be that only the library can read; it reads some ten megabytes in a second.
	maxOdd = 10 << 20
)

// part is the text of one document, and the line before it.
type part struct {
	text string
	line int
	// marked keeps what stands beside the values.
	marked bool
}

// readDocuments parses every document of a file. Empty ones are left out. Keys may be no strings, or come twice: a key
// of a patch that is a number is a string if the resource has it in quotes, and what is wrong may be deleted before it
// matters. checkKeys refuses what is left of them.
func readDocuments(data []byte) ([]*node, error) { return readAll(data, false) }

func readAll(data []byte, marked bool) ([]*node, error) {
	parts, errCut := cutDocuments(string(data))
	var values atomic.Int64
	values.Store(maxFileNodes)
	docs, errs := make([]*node, len(parts)), make([]error, len(parts))
	inParallel(len(parts), func(i int) {
		parts[i].marked = marked
		docs[i], errs[i] = parts[i].read(&values)
	})
	kept := docs[:0]
	for i, n := range docs {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if !n.isNull() {
			kept = append(kept, n)
		}
	}
	return kept, errCut
}

// cutDocuments also gives the documents before an error.
func cutDocuments(text string) (parts []part, err error) {
	if strings.IndexByte(text, '\r') >= 0 {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	for line := 0; ; {
		chunk, rest, more, err := cutDocument(text)
		if err != nil {
			return parts, err
		}
		parts = append(parts, part{text: chunk, line: line})
		if !more {
			return parts, nil
		}
		line += strings.Count(text[:len(text)-len(rest)], "\n")
		text = rest
	}
}

func (p part) read(values *atomic.Int64) (*node, error) {
	if p.marked {
		return p.readOdd()
	}
	if n, ok := readPlain(p.text, p.line, values); ok {
		return n, nil
	}
	switch {
	case values.Load() < 0:
		return nil, fmt.Errorf("the file has more than %d values: split it", maxFileNodes)
	case len(p.text) > maxOdd:
		return nil, fmt.Errorf("line %d: the document has %d MB and is not in plain block style: split it (of anything else at most %d MB are read)",
			p.line+1, len(p.text)>>20, maxOdd>>20)
	}
	return p.readOdd()
}

// cutDocument splits at the first line that begins with "---", except at the very beginning.
func cutDocument(s string) (doc, rest string, more bool, err error) {
	for from := 0; ; {
		i := strings.Index(s[from:], "\n---")
		if i < 0 {
			return s, "", false, nil
		}
		i += from
		end := strings.IndexByte(s[i+1:], '\n')
		if end < 0 {
			return s, "", false, nil
		}
		end += i + 1
		after := strings.TrimSpace(s[i+4 : end])
		if after != "" && after[0] != '#' {
			return "", "", false, fmt.Errorf("invalid document separator: %s", strings.TrimSpace(s[i:end]))
		}
		return s[:i+1], s[end+1:], true, nil
	}
}

// readDocument parses one document, which may have no odd keys.
func readDocument(text string, line int) (*node, error) {
	n, err := part{text: text, line: line}.readOdd()
	if err != nil || n == nil {
		return nil, err
	}
	if err := n.checkKeys(true); err != nil {
		return nil, fmt.Errorf("MalformedYAMLError: %w", err)
	}
	return n, nil
}

// readOdd reads a document with the library.
func (p part) readOdd() (n *node, err error) {
	var doc yaml.Node
	err = yaml.NewDecoder(strings.NewReader(p.text)).Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, malformed(located(err, p.text), p.line)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	c := converter{line: p.line, marked: p.marked}
	n, err = c.convert(doc.Content[0], 0)
	if err != nil {
		return nil, fmt.Errorf("MalformedYAMLError: %w", err)
	}
	return n, nil
}

// located adds the line to an error of the library that says there is an odd character, but not where.
func located(err error, text string) error {
	what, ok := strings.CutPrefix(err.Error(), "yaml: ")
	if !ok || !strings.Contains(what, "UTF-8") && !strings.Contains(what, "control character") {
		return err
	}
	line := 1
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && size == 1, r != '\t' && r != '\r' && r != '\u0085' && unicode.IsControl(r):
			return fmt.Errorf("yaml: line %d: %s: %q", line, what, text[i:i+size])
		}
	}
	return err
}

// malformed counts lines from the beginning of the file.
func malformed(err error, line int) error {
	text := err.Error()
	if rest, ok := strings.CutPrefix(text, "yaml: line "); ok && line > 0 {
		if at, what, ok := strings.Cut(rest, ":"); ok {
			if i, err := strconv.Atoi(at); err == nil {
				text = fmt.Sprintf("yaml: line %d:%s", i+line, what)
			}
		}
	}
	return fmt.Errorf("MalformedYAMLError: %s", text)
}

// converter turns the library's nodes into ours, with aliases and merge keys resolved.
type converter struct {
	line   int
	marked bool
	count  int
}

func (c *converter) convert(y *yaml.Node, depth int) (*node, error) {
	n, err := c.value(y, depth)
	if c.marked && err == nil && y.Kind != yaml.AliasNode {
		n.mark(y)
	}
	return n, err
}

func (c *converter) value(y *yaml.Node, depth int) (*node, error) {
	if c.count++; c.count > maxNodes {
		return nil, fmt.Errorf("document has more than %d values once its aliases are resolved", maxNodes)
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("line %d: nested more than %d deep", y.Line+c.line, maxDepth)
	}
	switch y.Kind {
	case yaml.AliasNode:
		return c.convert(y.Alias, depth+1)
	case yaml.MappingNode:
		return c.mapping(y, depth)
	case yaml.SequenceNode:
		n := &node{kind: seqKind, tag: collectionTag(y), style: style(y.Style), line: int32(y.Line + c.line), before: int32(c.line),
			items: make([]*node, len(y.Content))}
		for i, item := range y.Content {
			v, err := c.convert(item, depth+1)
			if err != nil {
				return nil, err
			}
			n.items[i] = v
		}
		return n, nil
	default:
		return &node{tag: tagOf(y), style: style(y.Style), value: y.Value, line: int32(y.Line + c.line), before: int32(c.line)}, nil
	}
}

func (c *converter) mapping(y *yaml.Node, depth int) (*node, error) {
	size := len(y.Content) / 2
	n := &node{kind: mapKind, tag: collectionTag(y), style: style(y.Style), line: int32(y.Line + c.line), before: int32(c.line),
		keys: make([]string, 0, size), items: make([]*node, 0, size)}
	var merge *yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Tag == "!!merge" {
			if merge != nil {
				return nil, fmt.Errorf("line %d: duplicate merge key", key.Line+c.line)
			}
			merge = y.Content[i+1]
			continue
		}
		// A key that is not what its tag says is nothing, and one with a tag of its own a string of an object itself at most.
		if t := tagOf(key); key.Kind == yaml.ScalarNode && t != strTag && t != plainTag(key.Value) && (depth > 0 || t != otherTag) {
			return nil, fmt.Errorf("line %d: key %q is no %s", key.Line+c.line, key.Value, key.Tag)
		}
		if n.find(key.Value) >= 0 {
			n.look |= doubledKey
		}
		if key.Kind != yaml.ScalarNode {
			n.look |= compoundKey
		}
		v, err := c.convert(y.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		v.bareKey = key.Tag != "!!str"
		if c.marked {
			v.look |= keyLookOf(key)
		}
		n.add(key.Value, v)
	}
	if merge != nil {
		if err := c.merge(n, merge, depth+1); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// merge adds the fields of a "<<" that the mapping does not have itself.
func (c *converter) merge(n *node, y *yaml.Node, depth int) error {
	if y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	switch y.Kind {
	case yaml.MappingNode:
		from, err := c.mapping(y, depth)
		if err != nil {
			return err
		}
		for i, key := range from.keys {
			if n.find(key) < 0 {
				n.add(key, from.items[i])
			}
		}
		return nil
	case yaml.SequenceNode:
		for _, each := range y.Content {
			if each.Kind == yaml.SequenceNode {
				return fmt.Errorf("line %d: invalid map merge: received a nested sequence", each.Line+c.line)
			}
			if err := c.merge(n, each, depth); err != nil {
				return err
			}
		}
		return nil
	default:
		return fmt.Errorf("line %d: map merge requires map or sequence of maps as the value", y.Line+c.line)
	}
}

// collectionTag is auto, unless the document says that a mapping or list is null.
func collectionTag(y *yaml.Node) tag {
	if t := tagOf(y); t == nullTag {
		return t
	}
	return autoTag
}

func tagOf(y *yaml.Node) tag {
	switch y.Tag {
	case "!!int":
		return intTag
	case "!!float":
		return floatTag
	case "!!bool":
		return boolTag
	case "!!null":
		return nullTag
	case "!!timestamp":
		return timeTag
	case "!!binary":
		return binaryTag
	case "!!str", "":
		return strTag
	default:
		return otherTag
	}
}
