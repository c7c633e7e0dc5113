package kustomize

import "slices"

// keepsName holds for kinds whose name means something, so that no prefix or suffix is put on it.
func keepsName(g gvk) bool {
	return g.Kind == "CustomResourceDefinition" || g.Kind == "Namespace" ||
		g.Group == "apiregistration.k8s.io" && g.Kind == "APIService"
}

func addPrefix(m *resMap, prefix string, specs []fieldSpec) error {
	if prefix == "" {
		return nil
	}
	return affix(m, specs, func(o *Object) { o.prefixes = append(o.prefixes, prefix) }, func(name string) string { return prefix + name })
}

// affix changes names: in metadata, and wherever else the specs say.
func affix(m *resMap, specs []fieldSpec, note func(*Object), change func(string) string) error {
	for _, o := range m.list {
		org := o.orgID().gvk
		if keepsName(org) {
			continue
		}
		for i := range specs {
			if !org.selectedBy(specs[i].gvk) {
				continue
			}
			if specs[i].Path == "metadata/name" {
				note(o)
				o.remember()
			}
			if !o.gvk().selectedBy(specs[i].gvk) {
				continue
			}
			if err := specs[i].visit(o.root, func() *node { return newString("") }, func(n *node) error {
				return setScalar(n, autoTag, change(n.text()))
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
