package kustomize

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// ParseKustomization reads a kustomization file. A field that it does not know is an error.
func ParseKustomization(data []byte) (*Kustomization, error) {
	if k := parsePlain(data); k != nil {
		return k, nil
	}
	j, err := toJSON(data)
	if err != nil {
		return nil, fmt.Errorf("invalid Kustomization: %w", err)
	}
	k := &Kustomization{}
	if err := decodeStrict(j, k); err != nil {
		return nil, fmt.Errorf("invalid Kustomization: %w", explainField(err, data))
	}
	return k, nil
}

func decodeStrict(j []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(j))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

// parsePlain reads a file of plain YAML one field at a time, since encoding/json takes longer to get to know the type of a
// whole kustomization than a small build takes. nil stands for a file that wants the whole decoder, or its error.
func parsePlain(data []byte) *Kustomization {
	n := readUnambiguous(data)
	if n == nil || n.kind != mapKind {
		return nil
	}
	k := &Kustomization{}
	fields := reflect.ValueOf(k).Elem()
	for i, key := range n.keys {
		if into := fieldNamed(fields, key); !into.IsValid() || !n.items[i].decodeInto(into.Addr().Interface()) {
			return nil
		}
	}
	return k
}

func fieldNamed(of reflect.Value, name string) reflect.Value {
	for i := range of.NumField() {
		if tag := of.Type().Field(i).Tag.Get("json"); strings.HasPrefix(tag, name) && tag[len(name):] == ",omitempty" {
			return of.Field(i)
		}
	}
	return reflect.Value{}
}

// decodeInto fills in a field of a kustomization, if it can.
func (n *node) decodeInto(into any) bool {
	switch into := into.(type) {
	case *string:
		if n.isText() {
			*into = n.value
			return true
		}
	case *[]string:
		if n.areTexts() {
			for _, item := range n.items {
				*into = append(*into, item.value)
			}
			return true
		}
	}
	j, err := appendJSON(nil, n)
	return err == nil && decodeStrict(j, into) == nil
}

func (n *node) isText() bool {
	_, ok := n.string()
	return ok && n.kind == scalarKind
}

func (n *node) areTexts() bool {
	for _, item := range n.items {
		if !item.isText() {
			return false
		}
	}
	return n.kind == seqKind && len(n.items) > 0
}
