package kustomize

// annotationsTransformer is the plugin of that name; commonAnnotations is its config.
type annotationsTransformer struct {
	Annotations map[string]string `json:"annotations,omitempty"`
	FieldSpecs  []fieldSpec       `json:"fieldSpecs,omitempty"`
}

func (p *annotationsTransformer) prepare(*target) error { return nil }

func (p *annotationsTransformer) transform(m *resMap) error {
	return setEntries(m, p.Annotations, p.FieldSpecs)
}
