package kustomize

import (
	"errors"
	"slices"

	"go.yaml.in/yaml/v3"
)

// keepsName holds for kinds whose name means something, so that no prefix or suffix is put on it.
func keepsName(g gvk) bool {
	return g.Kind == "CustomResourceDefinition" || g.Kind == "Namespace" ||
		g.Group == "apiregistration.k8s.io" && g.Kind == "APIService"
}

// prefixTransformer is the plugin of that name; namePrefix is its config.
type prefixTransformer struct {
	Prefix     string
	FieldSpecs []fieldSpec `yaml:"fieldSpecs"`
}

func (p *prefixTransformer) decodeLiterally(text []byte) error { return yaml.Unmarshal(text, p) }

var errNoFieldSpecs = errors.New("fieldSpecs is not expected to be nil: say which fields, as [{path: metadata/name}]")

func (p *prefixTransformer) prepare(*target) error {
	if p.FieldSpecs == nil {
		return errNoFieldSpecs
	}
	return nil
}

func (p *prefixTransformer) transform(m *resMap) error {
	return affix(m, p.FieldSpecs, p.Prefix, func(o *Object) {
		o.prefixes = append(o.prefixes, p.Prefix)
		o.note(addedPrefixes, p.Prefix)
	},
		func(name string) string { return p.Prefix + name })
}

// prefixSuffixTransformer is the older plugin that does both.
type prefixSuffixTransformer struct {
	Prefix, Suffix string
	FieldSpecs     []fieldSpec `yaml:"fieldSpecs"`
}

func (p *prefixSuffixTransformer) decodeLiterally(text []byte) error { return yaml.Unmarshal(text, p) }

func (p *prefixSuffixTransformer) prepare(t *target) error {
	return (&prefixTransformer{p.Prefix, p.FieldSpecs}).prepare(t)
}

func (p *prefixSuffixTransformer) transform(m *resMap) error {
	if err := (&prefixTransformer{p.Prefix, p.FieldSpecs}).transform(m); err != nil {
		return err
	}
	return (&suffixTransformer{p.Suffix, p.FieldSpecs}).transform(m)
}

// affix changes names: in metadata, and wherever else the specs say.
func affix(m *resMap, specs []fieldSpec, add string, note func(*Object), change func(string) string) error {
	for _, o := range m.list {
		org := o.orgID().gvk
		if keepsName(org) {
			continue
		}
		for i := range specs {
			if !org.selectedBy(specs[i].gvk) {
				continue
			}
			now := o.id()
			if specs[i].Path == "metadata/name" && add != "" {
				o.openNotes()
				note(o)
				o.remember(now)
			}
			if !now.selectedBy(specs[i].gvk) {
				continue
			}
			if err := specs[i].visit(o.root, func() *node { return newString("") }, func(n *node) error {
				return setScalar(n, autoTag, change(n.value))
			}); err != nil {
				return err
			}
		}
	}
	m.renamed()
	return nil
}

// sameEnding holds when the shorter list is the end of the longer one. An empty list only equals an empty list.
func sameEnding(a, b []string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return len(b) == 0
	}
	return slices.Equal(a, b[len(b)-len(a):])
}
