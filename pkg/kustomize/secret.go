package kustomize

import (
	"maps"
	"slices"
)

// secretArgs is an entry of secretGenerator.
type secretArgs struct {
	generator
	Type string `json:"type,omitempty"`
}

func (t *target) secret(g *secretArgs) (*Object, error) {
	o, pairs, err := t.generated("Secret", &g.generator)
	if err != nil {
		return nil, err
	}
	o.root.add("type", newString(or(g.Type, "Opaque")))
	// Unlike a ConfigMap's, a Secret's data is there even when it is empty.
	o.root.ensureMap("data")
	for _, k := range slices.Sorted(maps.Keys(pairs)) {
		o.root.ensureMap("data").add(k, newString(base64Lines(pairs[k])))
	}
	return o, nil
}
