package kustomize

import "go.yaml.in/yaml/v3"

// suffixTransformer is the plugin of that name; nameSuffix is its config.
type suffixTransformer struct {
	Suffix     string
	FieldSpecs []fieldSpec `yaml:"fieldSpecs"`
}

func (p *suffixTransformer) decodeLiterally(text []byte) error { return yaml.Unmarshal(text, p) }

func (p *suffixTransformer) prepare(*target) error {
	if p.FieldSpecs == nil {
		return errNoFieldSpecs
	}
	return nil
}

func (p *suffixTransformer) transform(m *resMap) error {
	return affix(m, p.FieldSpecs, p.Suffix, func(o *Object) {
		o.suffixes = append(o.suffixes, p.Suffix)
		o.note(addedSuffixes, p.Suffix)
	},
		func(name string) string { return name + p.Suffix })
}
