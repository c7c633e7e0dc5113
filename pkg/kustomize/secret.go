package kustomize

import (
	"maps"
	"slices"
)

// SecretArgs is an entry of secretGenerator.
type SecretArgs struct {
	ConfigMapArgs
	Type string `json:"type,omitempty"`
}

func (t *target) secret(g *SecretArgs) (*Object, error) {
	o, pairs, err := t.generated("Secret", &g.ConfigMapArgs)
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
