package kustomize

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// hashTransformer is the plugin of that name, which every build ends with.
type hashTransformer struct{}

func (hashTransformer) prepare(*target) error { return nil }

// transform puts a hash of its content behind the name of every generated resource that wants one, so that a change of
// content is a change of name.
func (hashTransformer) transform(m *resMap) error {
	for _, o := range m.list {
		if !o.needsHash {
			continue
		}
		if !m.schemas.all && hashedFields(o.Kind()) == nil && (!o.open || o.root.unmarked()) {
			return errUnmarked
		}
		h, err := contentHash(o.root)
		if err != nil {
			return fmt.Errorf("hash %s: %w", o.id(), err)
		}
		o.remember(o.id())
		o.setName(o.Name() + "-" + h)
	}
	m.renamed()
	return nil
}

// errUnmarked is what stops a build that would have to know all that its documents say beside their values: what a generator
// made, and so wants a hash, is another kind by now, or got a part of a document that was read without marks. The build begins
// anew then.
var errUnmarked = errors.New("a hash counts what documents say beside their values")

// hashedFields are those that count in the hash of a kind; nil stands for all that there is to know.
func hashedFields(kind string) []string {
	switch kind {
	case "ConfigMap":
		return []string{"binaryData", "data", "kind", "name"}
	case "Secret":
		return []string{"data", "kind", "name", "stringData", "type"}
	}
	return nil
}

func contentHash(n *node) (string, error) {
	fields := hashedFields(n.get("kind").word())
	if fields == nil {
		// kustomize hashes its parser's nodes here, positions, styles and comments included. Ours are the same, but of what a
		// function or plugin wrote.
		text, err := json.Marshal(n.inMemory())
		return hashText(text), err
	}
	out := []byte{'{'}
	for _, field := range fields {
		v, err := hashed(n, field)
		if err != nil {
			return "", err
		}
		if v == nil {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), field...), '"', ':')
		out = append(out, v...)
	}
	return hashText(append(out, '}')), nil
}

// hashText gives ten characters that make no words.
func hashText(text []byte) string {
	sum := sha256.Sum256(text)
	digits := []byte(hex.EncodeToString(sum[:5]))
	for i, c := range digits {
		if at := strings.IndexByte("013ae", c); at >= 0 {
			digits[i] = "ghkmt"[at]
		}
	}
	return string(digits)
}

// hashed gives a field's JSON. The optional ones are left out when missing, the others are "".
func hashed(n *node, field string) ([]byte, error) {
	if field == "name" {
		// kustomize looks for a field called "metadata/name", and so finds none: names do not count.
		return []byte(`""`), nil
	}
	v := n.get(field)
	optional := field == "binaryData" || field == "stringData"
	switch {
	case optional && (v == nil || v.kind == scalarKind):
		return nil, nil
	case v == nil:
		return []byte(`""`), nil
	case v.kind == scalarKind:
		return json.Marshal(v.value)
	case v.kind == seqKind:
		// A list is a mapping that could not be read.
		return []byte("null"), nil
	}
	data, err := appendJSON(nil, v)
	if err != nil || !slices.ContainsFunc(v.items, func(n *node) bool { return n.kind != scalarKind || n.tag != strTag }) {
		return data, err
	}
	// Numbers count as floats.
	var entries map[string]any
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, err
	}
	return json.Marshal(entries)
}
