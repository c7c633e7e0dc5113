package kustomize

import "fmt"

// setNamespace puts every resource that can have one into a namespace, with the references that carry one.
func setNamespace(m *resMap, ns string, specs []fieldSpec) error {
	if ns == "" {
		return nil
	}
	// How many resources have an identity now, kept up to date while they change one by one.
	count := make(map[id]int, len(m.list))
	for _, o := range m.list {
		count[o.id()]++
	}
	for _, o := range m.list {
		count[o.id()]--
		o.remember()
		if err := namespaceOne(o, ns, specs); err != nil {
			return err
		}
		i := o.id()
		if count[i]++; count[i] != 1 {
			return fmt.Errorf("namespace transformation produces ID conflict: two resources become %s", i)
		}
	}
	m.renamed()
	return nil
}

func namespaceOne(o *Object, ns string, specs []fieldSpec) error {
	g := o.gvk()
	if !clusterScoped(g) {
		meta := o.root.ensureMap("metadata")
		if v := meta.get("namespace"); v == nil || !v.isNull() {
			if v != nil && v.kind != scalarKind {
				return fmt.Errorf("namespace of %s is no string", o.id())
			}
			meta.set("namespace", newString(ns))
		}
	}
	binding := g.Kind == "RoleBinding" || g.Kind == "ClusterRoleBinding"
	if binding {
		if err := namespaceSubjects(o.root.get("subjects"), ns); err != nil {
			return fmt.Errorf("subjects of %s: %w", o.id(), err)
		}
	}
	for i := range specs {
		s := &specs[i]
		if !g.selectedBy(s.gvk) || s.Path == "metadata/namespace" || s.Path == "metadata/name" && o.APIVersion() != "v1" ||
			binding && s.Path == "subjects/namespace" && s.Kind == g.Kind {
			continue
		}
		err := s.visit(o.root, func() *node { return newString("") }, func(n *node) error { return setScalar(n, strTag, ns) })
		if err != nil {
			return fmt.Errorf("namespace transformation failed: %w", err)
		}
	}
	return nil
}

// namespaceSubjects sets the namespace of subjects called "default": others may live elsewhere.
func namespaceSubjects(subjects *node, ns string) error {
	if subjects.isNull() {
		return nil
	}
	if subjects.kind != seqKind {
		return fmt.Errorf("line %d: expected a list, found %s", subjects.line, subjects.describe())
	}
	for _, s := range subjects.items {
		if s.get("name").text() != "default" {
			continue
		}
		if v := s.get("namespace"); v == nil || !v.isNull() {
			s.set("namespace", newString(ns))
		}
	}
	return nil
}

// setScalar sets a field that must be a scalar. An auto value keeps the quotes of the old one.
func setScalar(n *node, t tag, s string) error {
	if n.kind != scalarKind {
		return fmt.Errorf("line %d: wrong node kind: expected ScalarNode but got %s", n.line, n.describe())
	}
	n.assign(t, s)
	return nil
}
