package kustomize

import (
	"fmt"
	"sync/atomic"

	"sigs.k8s.io/yaml"
)

// toJSON gives a YAML document as JSON, as the library reads it: in YAML 1.1, where more words are no strings. What has no
// such words is read without it.
func toJSON(data []byte) ([]byte, error) {
	if n := readUnambiguous(data); n != nil {
		return appendJSON(make([]byte, 0, len(data)), n)
	}
	if len(data) > maxOdd {
		return nil, fmt.Errorf("it has %d MB: more than %d are not read", len(data)>>20, maxOdd>>20)
	}
	j, err := yaml.YAMLToJSON(data)
	if err != nil {
		err = located(err, string(data))
	}
	return j, err
}

// readUnambiguous reads a document that both versions of YAML read alike. nil stands for any other.
func readUnambiguous(data []byte) *node {
	var values atomic.Int64
	values.Store(maxNodes)
	if n, ok := readPlain(string(data), 0, &values); ok && n.unambiguous(n.braced()) {
		return n
	}
	return nil
}

// unambiguous holds if YAML 1.1 and 1.2 agree on every scalar and key.
func (n *node) unambiguous(flow bool) bool {
	if n.kind == scalarKind {
		switch n.tag {
		case strTag:
			return n.quoted() || plainString(n.value)
		case intTag:
			return plainDecimal(n.value) && len(n.value) < 18
		case boolTag, nullTag:
			return !flow
		}
		return false
	}
	for _, key := range n.keys {
		if !plainString(key) {
			return false
		}
	}
	for _, item := range n.items {
		if !item.unambiguous(flow || item.braced()) {
			return false
		}
	}
	return true
}
