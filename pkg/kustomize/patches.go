package kustomize

import (
	"errors"
	"fmt"
	"strings"

	jsonpatch "github.com/evanphx/json-patch"
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

// patchTransformer is the plugin of that name; an entry of patches is its config.
type patchTransformer struct {
	Path    string        `json:"path,omitempty"`
	Patch   string        `json:"patch,omitempty"`
	Target  *Selector     `json:"target,omitempty"`
	Options *patchOptions `json:"options,omitempty"`
	// merges are strategic merge patches, ops a JSON patch: a patch is in the form that it turns out to have.
	merges []*Object
	ops    jsonpatch.Patch
}

func (p *patchTransformer) prepare(t *target) error {
	text, err := p.text(t)
	if err != nil {
		return err
	}
	var errMerge, errJSON error
	if p.merges, errMerge = t.schemas.parsePatches([]byte(text)); errMerge == nil {
		for _, sm := range p.merges {
			p.Options.note(sm)
		}
		return nil
	}
	if p.ops, errJSON = decodeOps(text); errJSON != nil {
		return fmt.Errorf("unable to parse SM or JSON patch from %s (as strategic merge: %w; as JSON patch: %w)", p.source(), errMerge, errJSON)
	}
	return nil
}

// note writes into a patch's annotations what it may change, as kustomize does: what it is merged into keeps that.
func (o *patchOptions) note(sm *Object) {
	if o == nil || !o.AllowNameChange && !o.AllowKindChange {
		return
	}
	sm.plainStrings("annotations")
	notes := sm.root.ensureMap("metadata").ensureMap("annotations")
	if o.AllowNameChange {
		notes.set(nameChangeAllowed, newString(enabled))
	}
	if o.AllowKindChange {
		notes.set(kindChangeAllowed, newString(enabled))
	}
}

func (p *patchTransformer) text(t *target) (string, error) {
	text := strings.TrimSpace(p.Patch)
	switch {
	case text == "" && p.Path == "":
		return "", errors.New("must specify one of patch and path")
	case text != "" && p.Path != "":
		return "", errors.New("patch and path can't be set at the same time")
	case text != "":
		return text, nil
	}
	data, err := t.loader.load(p.Path)
	if err != nil {
		return "", fmt.Errorf("failed to get the patch file from path(%s): %w", p.Path, err)
	}
	return string(data), nil
}

// source says in errors which patch it is.
func (p *patchTransformer) source() string {
	if text := strings.TrimSpace(p.Patch); text != "" {
		return fmt.Sprintf("[patch: %q]", text)
	}
	return fmt.Sprintf("[path: %q]", p.Path)
}

func (p *patchTransformer) transform(m *resMap) error {
	if len(p.merges) > 0 {
		return p.merge(m)
	}
	if len(p.ops) == 0 {
		return nil
	}
	if p.Target == nil {
		return fmt.Errorf("must specify a target for JSON patch %s", p.source())
	}
	selected, err := m.choose(*p.Target)
	if err != nil {
		return err
	}
	for _, o := range selected {
		who := o.id()
		o.remember(who)
		m.touch(o)
		had := len(o.past)
		if err := applyOps(o, p.ops); err != nil {
			return fmt.Errorf("%s to %s: %w", p.source(), who, err)
		}
		// Patched once more, the metadata may be whole again: this kind of patch does not complain.
		_ = o.noteAgain()
		m.moved(o, who)
		m.lost(o, had)
	}
	return nil
}

// merge applies strategic merge patches, to the target or each to the resource that it names.
func (p *patchTransformer) merge(m *resMap) error {
	var options patchOptions
	if p.Options != nil {
		options = *p.Options
	}
	if p.Target == nil {
		for _, sm := range p.merges {
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
	if len(p.merges) > 1 {
		return fmt.Errorf("Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: %s", p.source())
	}
	selected, err := m.choose(*p.Target)
	if err != nil {
		return fmt.Errorf("unable to find patch target %q in `resources`: %w", p.Target, err)
	}
	selected = m.namesakes(selected)
	for _, sm := range p.merges {
		for _, o := range selected {
			if err := m.mergeInto(o, sm.forTarget(o), options); err != nil {
				return err
			}
		}
	}
	return m.checkUnique()
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
		return nil, fmt.Errorf("no matches for Id %s; failed to find unique target for patch %s%s", i, i, m.instead(i))
	}
	return nil, fmt.Errorf("multiple matches for Id %s; failed to find unique target for patch %s", i, i)
}

// forTarget gives a copy of a patch for one resource. On the way its metadata becomes strings, as in kustomize: null, which
// would delete, is "null".
func (o *Object) forTarget(target *Object) *node {
	with := &Object{root: o.root.copy()}
	// They are written anew: what comes in their place later is what it looks like.
	put(with.root, "kind", with.Kind())
	with.setName(with.Name())
	with.plainStrings("labels")
	with.plainStrings("annotations")
	with.setNamespace(with.Namespace())
	with.root.set("apiVersion", newAuto(target.APIVersion()))
	return with.root
}

// mergeInto merges a patch into a resource. Its name and kind stay, unless the options say otherwise; its namespace always.
func (m *resMap) mergeInto(o *Object, with *node, options patchOptions) error {
	if o.root.isEmpty() {
		return nil
	}
	m.touch(o)
	who, name, ns, kind := o.id(), o.Name(), o.Namespace(), o.Kind()
	mayMove := options.AllowNameChange || options.AllowKindChange
	if mayMove {
		o.remember(who)
		defer func() { m.moved(o, who) }()
	}
	had := len(o.past)
	err := o.keepingHistory(func() error {
		merged, err := m.schemas.strategicMerge(o.root, with)
		// Replacing all of a resource has no effect in kustomize: it looks at the old one for the result.
		if merged.isEmpty() {
			o.root = newMap()
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("patch %s: %w", who, err)
	}
	m.lost(o, had)
	if o.root.isEmpty() {
		m.emptied = true
		return nil
	}
	if !options.AllowKindChange {
		put(o.root, "kind", kind)
	}
	if !options.AllowNameChange {
		o.setName(name)
	}
	o.setNamespace(ns)
	if !mayMove && o.id() != who {
		m.held = nil
	}
	return nil
}
