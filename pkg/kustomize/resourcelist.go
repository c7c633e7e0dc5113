package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What a function reads and writes is a ResourceList. It is made of the library's nodes, not ours: functions may be scripts
// that look at the text, so it has to be kustomize's, to the quotes.

// encodeYAML prints in the style of kustomize's functions: sequences not indented, lines not folded.
func encodeYAML(values ...any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	for _, v := range values {
		if err := enc.Encode(v); err != nil {
			return nil, err
		}
	}
	err := enc.Close()
	return b.Bytes(), err
}

// wireDocument gives one of our documents as the library reads it.
func wireDocument(n *node) (*yaml.Node, error) {
	text, err := writeYAML(nil, n)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	return doc.Content[0], nil
}

// resourceList wraps what a function gets.
func resourceList(items []*yaml.Node, config *yaml.Node) ([]byte, error) {
	text := func(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s} }
	return encodeYAML(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
		text("apiVersion"), text("config.kubernetes.io/v1"), text("kind"), text("ResourceList"),
		text("items"), {Kind: yaml.SequenceNode, Content: items}, text("functionConfig"), config,
	}})
}

// readResourceList takes apart what a function wrote: a list, or plain documents.
func readResourceList(data []byte) ([]*yaml.Node, error) {
	var docs []*yaml.Node
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	chunks := 0
	for more := true; more; chunks++ {
		var chunk string
		var err error
		if chunk, text, more, err = cutDocument(text); err != nil {
			return nil, err
		}
		var doc yaml.Node
		switch err := yaml.NewDecoder(strings.NewReader(chunk)).Decode(&doc); {
		case errors.Is(err, io.EOF):
		case err != nil:
			return nil, fmt.Errorf("MalformedYAMLError: %w", err)
		case len(doc.Content) > 0 && doc.Content[0].Tag != "!!null":
			docs = append(docs, doc.Content[0])
		}
	}
	if len(docs) == 1 && chunks == 1 {
		kind, items := field(docs[0], "kind"), field(docs[0], "items")
		if kind != nil && (kind.Value == "ResourceList" || kind.Value == "List") && (items != nil || field(docs[0], "functionConfig") != nil) {
			if items == nil {
				return nil, nil
			}
			return items.Content, nil
		}
	}
	for i, doc := range docs {
		track(doc, indexTracker, strconv.Itoa(i))
	}
	return docs, nil
}

// field gives the value of a mapping's key, nil if there is none.
func field(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func wireText(n *yaml.Node, key string) string {
	if v := field(n, key); v != nil {
		return v.Value
	}
	return ""
}

func annotation(n *yaml.Node, key string) string {
	return wireText(field(field(n, "metadata"), "annotations"), key)
}

// annotate sets an annotation, quoted so that no function takes it for a number.
func annotate(n *yaml.Node, key, value string) {
	v := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.SingleQuotedStyle, Value: value}
	for _, step := range []string{"metadata", "annotations"} {
		below := field(n, step)
		if below == nil {
			below = &yaml.Node{Kind: yaml.MappingNode}
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: step}, below)
		}
		if below.Kind != yaml.MappingNode {
			*below = yaml.Node{Kind: yaml.MappingNode}
		}
		n = below
	}
	if old := field(n, key); old != nil {
		*old = *v
		return
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, v)
}

func dropAnnotations(n *yaml.Node, keys ...string) {
	meta := field(n, "metadata")
	notes := field(meta, "annotations")
	if notes == nil {
		return
	}
	for _, key := range keys {
		removeField(notes, key)
	}
	if len(notes.Content) == 0 {
		removeField(meta, "annotations")
	}
}

func removeField(n *yaml.Node, key string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = append(n.Content[:i], n.Content[i+2:]...)
			return
		}
	}
}
