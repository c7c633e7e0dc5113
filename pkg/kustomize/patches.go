package kustomize

import (
	"errors"
	"fmt"
	"strings"

	jsonpatch "github.com/evanphx/json-patch"
	"sigs.k8s.io/yaml"
)

// Patch is an entry of patches or patchesJson6902.
type Patch struct {
	Path    string        `json:"path,omitempty"`
	Patch   string        `json:"patch,omitempty"`
	Target  *Selector     `json:"target,omitempty"`
	Options *patchOptions `json:"options,omitempty"`
}

type patchOptions struct {
	AllowNameChange bool `json:"allowNameChange,omitempty"`
	AllowKindChange bool `json:"allowKindChange,omitempty"`
}

// patches applies the entries of patches, each in the form that it turns out to have.
func (t *target) patches(m *resMap) error {
	for i := range t.k.Patches {
		if err := t.patch(m, &t.k.Patches[i]); err != nil {
			return fmt.Errorf("patches[%d]: %w", i, err)
		}
	}
	return nil
}

func (t *target) patch(m *resMap, p *Patch) error {
	text, source, err := t.patchText(p)
	if err != nil {
		return err
	}
	merges, errMerge := parseObjects([]byte(text))
	if errMerge == nil {
		return p.merge(m, merges, source)
	}
	ops, errJSON := decodeOps(text)
	if errJSON != nil {
		return fmt.Errorf("unable to parse SM or JSON patch from %s (as strategic merge: %w; as JSON patch: %w)", source, errMerge, errJSON)
	}
	if p.Target == nil {
		return fmt.Errorf("must specify a target for JSON patch %s", source)
	}
	selected, err := m.choose(*p.Target)
	if err != nil {
		return err
	}
	for _, o := range selected {
		o.remember()
		if err := applyOps(o, ops, true); err != nil {
			return fmt.Errorf("%s to %s: %w", source, o.id(), err)
		}
	}
	m.renamed()
	return nil
}

func (t *target) patchText(p *Patch) (text, source string, err error) {
	text = strings.TrimSpace(p.Patch)
	switch {
	case text == "" && p.Path == "":
		return "", "", errors.New("must specify one of patch and path")
	case text != "" && p.Path != "":
		return "", "", errors.New("patch and path can't be set at the same time")
	case text != "":
		return text, fmt.Sprintf("[patch: %q]", text), nil
	}
	data, err := t.loader.load(p.Path)
	if err != nil {
		return "", "", fmt.Errorf("failed to get the patch file from path(%s): %w", p.Path, err)
	}
	return string(data), fmt.Sprintf("[path: %q]", p.Path), nil
}

// merge applies strategic merge patches, to the target or each to the resource that it names.
func (p *Patch) merge(m *resMap, merges []*Object, source string) error {
	var options patchOptions
	if p.Options != nil {
		options = *p.Options
	}
	if p.Target == nil {
		for _, sm := range merges {
			o, err := m.theOne(sm.id())
			if err != nil {
				return fmt.Errorf("no resource matches strategic merge patch %q: %w", sm.id(), err)
			}
			if err := m.mergeInto(o, sm.root.copy(), options); err != nil {
				return err
			}
		}
		return nil
	}
	if len(merges) > 1 {
		return fmt.Errorf("Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: %s", source)
	}
	selected, err := m.choose(*p.Target)
	if err != nil {
		return fmt.Errorf("unable to find patch target %q in `resources`: %w", p.Target, err)
	}
	for _, sm := range merges {
		for _, o := range selected {
			with := sm.root.copy()
			with.set("apiVersion", newAuto(o.APIVersion()))
			if err := m.mergeInto(o, with, options); err != nil {
				return err
			}
		}
	}
	return m.checkUnique(options)
}

// checkUnique refuses patches that gave two resources one name.
func (m *resMap) checkUnique(o patchOptions) error {
	if !o.AllowNameChange && !o.AllowKindChange {
		return nil
	}
	seen := make(map[id]bool, len(m.list))
	for _, o := range m.list {
		if o.root.isEmpty() {
			continue
		}
		i := o.id()
		if seen[i] {
			return fmt.Errorf("may not add resource with an already registered id: %s", i)
		}
		seen[i] = true
	}
	return nil
}

// theOne finds the resource with an identity, of now or of before.
func (m *resMap) theOne(i id) (*Object, error) {
	matches := m.byAny(i)
	live := matches[:0:0]
	for _, o := range matches {
		if !o.root.isEmpty() {
			live = append(live, o)
		}
	}
	switch len(live) {
	case 1:
		return live[0], nil
	case 0:
		return nil, fmt.Errorf("no matches for Id %s; failed to find unique target for patch %s", i, i)
	}
	return nil, fmt.Errorf("multiple matches for Id %s; failed to find unique target for patch %s", i, i)
}

// mergeInto merges a patch into a resource. Its name and kind stay, unless the options say otherwise; its namespace always.
func (m *resMap) mergeInto(o *Object, with *node, options patchOptions) error {
	if o.root.isEmpty() {
		return nil
	}
	who, name, ns, kind := o.id(), o.Name(), o.Namespace(), o.Kind()
	if options.AllowNameChange || options.AllowKindChange {
		o.remember()
		defer m.renamed()
	}
	merged, err := strategicMerge(o.root, with)
	if err != nil {
		return fmt.Errorf("patch %s: %w", who, err)
	}
	if merged.isEmpty() {
		o.root = newMap()
		return nil
	}
	o.root = merged
	if !options.AllowKindChange {
		put(o.root, "kind", kind)
	}
	if !options.AllowNameChange {
		o.setName(name)
	}
	o.setNamespace(ns)
	return nil
}

// patchesStrategicMerge applies the deprecated field of that name: each entry is a file or the patch itself.
func (t *target) patchesStrategicMerge(m *resMap) error {
	for _, entry := range t.k.PatchesStrategicMerge {
		merges, err := parseObjects([]byte(entry))
		if err != nil {
			data, errLoad := t.loader.load(entry)
			if errLoad != nil {
				return fmt.Errorf("patchesStrategicMerge: %w", errLoad)
			}
			if merges, err = parseObjects(data); err != nil {
				return fmt.Errorf("patchesStrategicMerge: %w in File: %s", err, entry)
			}
		}
		for _, sm := range merges {
			o, err := m.theOne(sm.id())
			if err != nil {
				return fmt.Errorf("patchesStrategicMerge: %w", err)
			}
			with := sm.root.copy()
			with.set("apiVersion", newAuto(o.APIVersion()))
			if err := m.mergeInto(o, with, patchOptions{}); err != nil {
				return fmt.Errorf("patchesStrategicMerge: %w", err)
			}
		}
		m.dropEmpty()
	}
	return nil
}

// patchesJSON6902 applies the deprecated field of that name.
func (t *target) patchesJSON6902(m *resMap) error {
	for i := range t.k.PatchesJSON6902 {
		if err := t.patchJSON6902(m, &t.k.PatchesJSON6902[i]); err != nil {
			return fmt.Errorf("patchesJson6902[%d]: %w", i, err)
		}
	}
	return nil
}

func (t *target) patchJSON6902(m *resMap, p *Patch) error {
	if p.Target == nil || p.Target.Name == "" {
		return errors.New("must specify the target name")
	}
	text := p.Patch
	switch {
	case p.Path == "" && text == "":
		return errors.New("empty file path and empty jsonOp")
	case p.Path != "" && text != "":
		return errors.New("must specify a file path or jsonOp, not both")
	case p.Path != "":
		data, err := t.loader.load(p.Path)
		if err != nil {
			return err
		}
		if text = string(data); text == "" {
			return fmt.Errorf("patch file '%s' empty seems to be empty", p.Path)
		}
	}
	ops, err := decodeOps(text)
	if err != nil {
		return fmt.Errorf("decoding %s: %w", text, err)
	}
	if len(ops) == 0 {
		return fmt.Errorf("patch appears to be empty; file=%s, JsonOp=%s", p.Path, text)
	}
	selected, err := m.choose(*p.Target)
	if err != nil {
		return err
	}
	for _, o := range selected {
		if err := applyOps(o, ops, o.tracked()); err != nil {
			return fmt.Errorf("to %s: %w", o.id(), err)
		}
	}
	m.renamed()
	return nil
}

// decodeOps reads a JSON patch, written as JSON or YAML.
func decodeOps(text string) (jsonpatch.Patch, error) {
	if text == "" {
		return nil, errors.New("empty json patch operations")
	}
	data := []byte(text)
	if text[0] != '[' {
		var err error
		if data, err = yaml.YAMLToJSON(data); err != nil {
			return nil, err
		}
	}
	return jsonpatch.DecodePatch(data)
}

// applyOps runs a JSON patch. In kustomize a resource with a past has annotations that say so, and patches may add to them.
func applyOps(o *Object, ops jsonpatch.Patch, annotated bool) error {
	if meta := o.root.get("metadata"); annotated && meta != nil && meta.kind == mapKind {
		meta.ensureMap("annotations")
	}
	doc, err := appendJSON(nil, o.root)
	if err != nil {
		return err
	}
	if doc, err = ops.Apply(doc); err != nil {
		return err
	}
	root, err := fromJSON(doc)
	if err != nil {
		return err
	}
	if root.kind != mapKind {
		return errors.New("the patch leaves no object")
	}
	o.root = root
	return nil
}
