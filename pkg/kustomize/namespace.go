package kustomize

import "fmt"

// namespaceTransformer is the plugin of that name; namespace is its config.
type namespaceTransformer struct {
	Metadata   pluginMetadata `json:"metadata,omitempty"`
	FieldSpecs []fieldSpec    `json:"fieldSpecs,omitempty"`
	// UnsetOnly leaves a namespace alone that is there.
	UnsetOnly bool `json:"unsetOnly,omitempty"`
	// SetRoleBindingSubjects says which subjects of bindings move along: others may live elsewhere.
	SetRoleBindingSubjects string `json:"setRoleBindingSubjects,omitempty"`
}

// pluginMetadata is what plugins read of the metadata of their config.
type pluginMetadata struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

const (
	defaultSubjects = "defaultOnly"
	noSubjects      = "none"
	serviceAccounts = "allServiceAccounts"
)

// helmGenerated marks what helm has put into a namespace already.
const helmGenerated = internalPrefix + "helm-generated"

func (p *namespaceTransformer) prepare(*target) error {
	p.SetRoleBindingSubjects = or(p.SetRoleBindingSubjects, defaultSubjects)
	switch p.SetRoleBindingSubjects {
	case defaultSubjects, noSubjects, serviceAccounts:
		return nil
	}
	return fmt.Errorf("invalid value %q for setRoleBindingSubjects: must be one of %q, %q or %q", p.SetRoleBindingSubjects,
		defaultSubjects, noSubjects, serviceAccounts)
}

// transform puts every resource that can have one into a namespace, with the references that carry one.
func (p *namespaceTransformer) transform(m *resMap) error {
	if p.Metadata.Namespace == "" {
		return nil
	}
	// How many resources have an identity now, kept up to date while they change one by one.
	count, ids := make(map[id]int, len(m.list)), make([]id, len(m.list))
	for i, o := range m.list {
		ids[i] = o.id()
		count[ids[i]]++
	}
	for i, o := range m.list {
		if o.root.at("metadata", "annotations", helmGenerated).text() == "true" {
			continue
		}
		count[ids[i]]--
		o.remember(ids[i])
		if err := p.move(m.schemas, o); err != nil {
			return err
		}
		now := o.id()
		if count[now]++; count[now] != 1 {
			return fmt.Errorf("namespace transformation produces ID conflict: two resources become %s", now)
		}
	}
	m.renamed()
	return nil
}

// move sets the namespace of one resource.
func (p *namespaceTransformer) move(s *schemas, o *Object) error {
	g := o.gvk()
	if !s.clusterScoped(g) {
		if err := p.set(o.root.ensureMap("metadata")); err != nil {
			return fmt.Errorf("namespace of %s: %w", o.id(), err)
		}
	}
	binding := g.Kind == "RoleBinding" || g.Kind == "ClusterRoleBinding"
	if binding {
		if err := p.subjects(o.root.get("subjects")); err != nil {
			return fmt.Errorf("subjects of %s: %w", o.id(), err)
		}
	}
	for i := range p.FieldSpecs {
		spec := &p.FieldSpecs[i]
		if !g.selectedBy(spec.gvk) || spec.Path == "metadata/namespace" || spec.Path == "metadata/name" && o.APIVersion() != "v1" ||
			binding && spec.Path == "subjects/namespace" && (spec.Kind == "RoleBinding" || spec.Kind == "ClusterRoleBinding") {
			continue
		}
		err := spec.visit(o.root, func() *node { return newString("") }, func(n *node) error {
			if p.UnsetOnly && n.kind == scalarKind && n.value != "" {
				return nil
			}
			return setScalar(n, strTag, p.Metadata.Namespace)
		})
		if err != nil {
			return fmt.Errorf("namespace transformation failed: %w", err)
		}
	}
	return nil
}

// set sets the field namespace of a mapping. The word null is a value that unsetOnly leaves alone.
func (p *namespaceTransformer) set(in *node) error {
	v := in.get("namespace")
	if v != nil && v.kind != scalarKind {
		return fmt.Errorf("line %d: it is no string", v.line)
	}
	if v == nil || !p.UnsetOnly || v.value == "" {
		in.set("namespace", newScalar(strTag, p.Metadata.Namespace))
	}
	return nil
}

// subjects sets the namespace of those subjects of a binding that move along.
func (p *namespaceTransformer) subjects(list *node) error {
	if list.isNull() || p.SetRoleBindingSubjects == noSubjects {
		return nil
	}
	if list.kind != seqKind {
		return fmt.Errorf("line %d: expected a list, found %s", list.line, list.describe())
	}
	field, value := "name", "default"
	if p.SetRoleBindingSubjects == serviceAccounts {
		field, value = "kind", "ServiceAccount"
	}
	for _, s := range list.items {
		if err := sameKind(mapKind, s); err != nil {
			return err
		}
		if v := s.get(field); v != nil && v.kind != scalarKind {
			return fmt.Errorf("line %d: wrong node kind: expected ScalarNode but got %s", v.line, v.describe())
		}
		if s.get(field).text() != value {
			continue
		}
		if s.get("namespace").isNull() {
			s.remove("namespace")
		}
		if err := p.set(s); err != nil {
			return err
		}
	}
	return nil
}

// setScalar sets a field that must be a scalar.
func setScalar(n *node, t tag, s string) error {
	if n.kind != scalarKind {
		return fmt.Errorf("line %d: wrong node kind: expected ScalarNode but got %s", n.line, n.describe())
	}
	n.assign(t, s)
	return nil
}
