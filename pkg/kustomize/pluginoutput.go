package kustomize

import (
	"fmt"
	"strconv"
)

// Annotations between kustomize and plugins.
const (
	idAnnotation       = "kustomize.config.k8s.io/id"
	hashAnnotation     = "kustomize.config.k8s.io/needs-hash"
	behaviorAnnotation = "kustomize.config.k8s.io/behavior"
)

// identified gives copies of the documents as a plugin sees them: with their past and their identity.
func (m *resMap) identified() ([]*node, error) {
	out := make([]*node, len(m.list))
	for i, o := range m.list {
		n, err := o.told()
		if err != nil {
			return nil, err
		}
		g := o.gvk()
		text := newMap()
		for _, part := range [][2]string{{"group", g.Group}, {"kind", g.Kind}, {"name", o.Name()}, {"namespace", o.Namespace()}, {"version", g.Version}} {
			if part[1] != "" {
				text.add(part[0], newString(part[1]))
			}
		}
		id, err := writeYAML(nil, text)
		if err != nil {
			return nil, err
		}
		n.get("metadata").ensureMap("annotations").set(idAnnotation, newString(string(id)))
		out[i] = n
	}
	return out, nil
}

// update takes over what a plugin made of the resources: those that it changed keep their place, new ones come last, and
// those that it left out go.
func (m *resMap) update(plugin string, list []*Object) error {
	made := map[id]bool{}
	for _, o := range list {
		o.rewriteAnnotations()
		if err := o.recall(); err != nil {
			return err
		}
		i := o.id()
		if made[i] {
			return fmt.Errorf("plugin %s generated duplicate resource: %s", plugin, i)
		}
		made[i] = true
		if old := m.byCurrent()[i]; old != nil {
			o.varNames, o.source = old.varNames, old.source
			*old = *o
		} else if err := m.append(o); err != nil {
			return err
		}
	}
	kept := m.list[:0]
	for _, o := range m.list {
		if made[o.id()] {
			kept = append(kept, o)
		}
	}
	m.list = kept
	m.renamed()
	return nil
}

// rewriteAnnotations drops the identity that a plugin was told, and makes all others new, as kustomize does.
func (o *Object) rewriteAnnotations() {
	notes := o.stringMap("annotations")
	delete(notes, idAnnotation)
	meta := o.root.get("metadata")
	meta.remove("annotations")
	addStrings(meta, "annotations", notes)
}

// generatedBy makes generated resources of a plugin's output. Names get a hash only if the plugin asks for it.
func generatedBy(list []*Object) ([]*Object, error) {
	seen := map[id]bool{}
	for _, o := range list {
		if err := o.recall(); err != nil {
			return nil, err
		}
		if i := o.id(); seen[i] {
			return nil, fmt.Errorf("may not add resource with an already registered id: %s", i)
		}
		seen[o.id()] = true
		o.generated, o.behavior = true, ""
		meta := o.root.get("metadata")
		notes := meta.get("annotations")
		if v := notes.get(hashAnnotation); v != nil {
			needs, err := strconv.ParseBool(v.value)
			if err != nil {
				return nil, fmt.Errorf("the annotation %q contains an invalid value (%q)", hashAnnotation, v.value)
			}
			o.needsHash = o.needsHash || needs
			notes.remove(hashAnnotation)
		}
		if v := notes.get(behaviorAnnotation); v != nil {
			o.behavior = knownBehavior(v.value)
			notes.remove(behaviorAnnotation)
		}
		o.openNotes()
	}
	return list, nil
}
