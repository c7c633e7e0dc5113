package kustomize

import (
	"fmt"
	"strconv"
	"strings"
)

// Replica is an entry of replicas.
type Replica struct {
	Name  string `json:"name,omitempty"`
	Count int64  `json:"count"`
}

// replicaCountTransformer is the plugin of that name; an entry of replicas is its config.
type replicaCountTransformer struct {
	Replica    Replica     `json:"replica,omitempty"`
	FieldSpecs []fieldSpec `json:"fieldSpecs,omitempty"`
}

func (p *replicaCountTransformer) prepare(*target) error { return nil }

func (p *replicaCountTransformer) transform(m *resMap) error {
	found := false
	for i := range p.FieldSpecs {
		spec := &p.FieldSpecs[i]
		for _, o := range m.byAnyName()[p.Replica.Name] {
			if !o.wasNamed(p.Replica.Name, spec.gvk) {
				continue
			}
			found = true
			if !o.gvk().selectedBy(spec.gvk) {
				continue
			}
			if err := spec.visit(o.root, func() *node { return newScalar(intTag, "0") }, func(n *node) error {
				return setScalar(n, intTag, strconv.FormatInt(p.Replica.Count, 10))
			}); err != nil {
				return err
			}
		}
	}
	if found {
		return nil
	}
	kinds := make([]string, len(p.FieldSpecs))
	for i := range p.FieldSpecs {
		kinds[i] = p.FieldSpecs[i].gvk.String()
	}
	return fmt.Errorf("resource with name %s does not match a config with the following GVK [%s]%s", p.Replica.Name, strings.Join(kinds, " "), m.instead(id{name: p.Replica.Name}))
}

func (o *Object) wasNamed(name string, g gvk) bool {
	for i := range o.past {
		if p := o.pastID(i); p.name == name && p.gvk.selectedBy(g) {
			return true
		}
	}
	return o.Name() == name && o.gvk().selectedBy(g)
}
