package kustomize

// suffixTransformer is the plugin of that name; nameSuffix is its config.
type suffixTransformer struct {
	Suffix     string      `json:"suffix,omitempty"`
	FieldSpecs []fieldSpec `json:"fieldSpecs,omitempty"`
}

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
