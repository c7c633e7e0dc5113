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

// secretGenerator is the plugin of that name; an entry of the field is its config.
type secretGenerator struct {
	Metadata pluginMetadata `json:"metadata,omitempty"`
	SecretArgs
	t *target
}

func (p *secretGenerator) prepare(t *target) error {
	p.t = t
	p.complete(p.Metadata)
	return nil
}

func (p *secretGenerator) generate() ([]*Object, error) {
	o, pairs, err := p.t.generated("Secret", &p.ConfigMapArgs)
	if err != nil {
		return nil, err
	}
	o.root.add("type", newString(or(p.Type, "Opaque")))
	// Unlike a ConfigMap's, a Secret's data is there even when it is empty.
	o.root.ensureMap("data")
	for _, k := range slices.Sorted(maps.Keys(pairs)) {
		o.root.ensureMap("data").set(k, newText(base64Lines(pairs[k])))
	}
	o.lock(p.Options)
	return []*Object{o}, nil
}
