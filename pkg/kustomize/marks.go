package kustomize

import (
	"encoding/json"
	"slices"

	"go.yaml.in/yaml/v3"
)

// look is what else there is to know of how a key is written, or a value came about. The most of it counts in hashes alone.
type look uint8

const (
	// doubledKey holds for a mapping that had a key twice.
	doubledKey look = 1 << iota
	// madeKey holds for a value whose key no document brought, singleQuotedKey and doubleQuotedKey for one with quotes.
	madeKey
	singleQuotedKey
	doubleQuotedKey
	// compoundKey holds for a mapping with a key that is no scalar.
	compoundKey
	// assigned holds for a scalar that was set since it was read.
	assigned

	keyQuotes = singleQuotedKey | doubleQuotedKey
	keyLook   = madeKey | keyQuotes
)

// parse reads resources. If one of them wants a hash of its content, they keep their marks: what the file says beside the
// values, comments, positions and tags, which counts in the hash of anything but a ConfigMap or a Secret.
func (s *schemas) parse(data []byte) ([]*Object, error) {
	if s.all {
		return parse(data, true)
	}
	list, err := parseObjects(data)
	if err != nil || !slices.ContainsFunc(list, (*Object).asksForHash) {
		return list, err
	}
	s.marked = true
	return parse(data, true)
}

// parsePatches reads strategic merge patches, with marks if there is a resource that they may count for.
func (s *schemas) parsePatches(data []byte) ([]*Object, error) { return parse(data, s.marked) }

// mark keeps what the library read.
func (n *node) mark(y *yaml.Node) {
	if n.more == nil {
		n.more = &more{}
	}
	n.more.read = y
}

// read is what the library read, nil if that was not kept or no document brought the value.
func (n *node) read() *yaml.Node {
	if n.more == nil {
		return nil
	}
	return n.more.read
}

// unmarked holds if there is a value of a document that was read without marks.
func (n *node) unmarked() bool {
	return n.line > 0 && n.read() == nil && n.look&assigned == 0 || slices.ContainsFunc(n.items, (*node).unmarked)
}

func keyLookOf(key *yaml.Node) look {
	switch {
	case key.Style&yaml.SingleQuotedStyle != 0:
		return singleQuotedKey
	case key.Style&yaml.DoubleQuotedStyle != 0:
		return doubleQuotedKey
	}
	return 0
}

// readAgain gives documents that went by way of JSON the marks of that.
func readAgain(docs []*node) error {
	for i, n := range docs {
		text, err := appendJSON(nil, n)
		if err != nil {
			return err
		}
		again, err := part{text: string(text), line: int(n.line) - 1, marked: true}.readOdd()
		if err != nil {
			return err
		}
		docs[i] = again
	}
	return nil
}

// readJSON gives a document as kustomize reads it after a JSON patch: by way of YAML.
func readJSON(data []byte) (*node, error) {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, err
	}
	text, err := encodeYAML(v)
	if err != nil {
		return nil, err
	}
	return part{text: string(text), marked: true}.readOdd()
}

// takeComments gives a mapping the comments of the patch that is merged into it.
func (n *node) takeComments(patch *node) {
	if n == nil || patch == nil || patch.read() == nil {
		return
	}
	from := patch.read()
	if from.HeadComment+from.LineComment+from.FootComment == "" {
		return
	}
	var with yaml.Node
	if was := n.read(); was != nil {
		with = *was
	}
	with.HeadComment = or(from.HeadComment, with.HeadComment)
	with.LineComment = or(from.LineComment, with.LineComment)
	with.FootComment = or(from.FootComment, with.FootComment)
	n.unindex()
	n.more = &more{read: &with}
}
