package kustomize

import (
	"fmt"
	"slices"
)

// validatedBy is the label with which a validator may say that it has been at work.
const validatedBy = "validated-by"

// validate runs the validators of a kustomization: transformers that may fail, but change nothing.
func (t *target) validate(a *accumulator) error {
	steps, err := t.external("validators", t.k.Validators)
	if err != nil {
		return fmt.Errorf("%s: validators: %w", t.path, err)
	}
	for _, s := range steps {
		before := make([]*Object, len(a.list))
		for i, o := range a.list {
			before[i] = o.copy()
		}
		if err := s.transform(&a.resMap); err != nil {
			return t.failed(s, err)
		}
		if err := a.unchanged(before); err != nil {
			return t.failed(s, fmt.Errorf("validator shouldn't modify the resource map: %w", err))
		}
	}
	return nil
}

func (o *Object) copy() *Object {
	c := *o
	c.root = o.root.copy()
	return &c
}

func (m *resMap) unchanged(before []*Object) error {
	if len(before) != len(m.list) {
		return fmt.Errorf("lists have different number of entries: there were %d, now there are %d", len(before), len(m.list))
	}
	for _, old := range before {
		now := m.byCurrent()[old.id()]
		if now == nil {
			return fmt.Errorf("id in self missing from other; id: %s", old.id())
		}
		now = now.copy()
		now.dropValidatedBy()
		if at := differs(old.root, now.root, ""); at != "" {
			return fmt.Errorf("nodes unequal: %s%s; kustomize counts it as a change to write a field again, even with the same value, "+
				"and to add annotations, as functions do that are given resources for the first time", old.id(), at)
		}
		if !slices.Equal(old.past, now.past) || !slices.Equal(old.prefixes, now.prefixes) || !slices.Equal(old.suffixes, now.suffixes) {
			return fmt.Errorf("nodes unequal: %s has been renamed or moved", old.id())
		}
	}
	return nil
}

// dropValidatedBy removes the label of a validator. The others are written again at the end of the metadata and in order,
// and may so count as changed, as in kustomize.
func (o *Object) dropValidatedBy() {
	all := o.root.at("metadata", "labels")
	if all == nil || all.kind != mapKind || all.get(validatedBy) == nil {
		return
	}
	all.remove(validatedBy)
	o.plainStrings("labels")
}

// differs gives the path to the first field that is not the very same, "" if there is none.
func differs(a, b *node, at string) string {
	// What is written again differs by its line, which kustomize counts from the beginning of the document.
	moved := a.line-a.before != b.line-b.before
	if moved || a.kind != b.kind || a.tag != b.tag || a.style != b.style || a.value != b.value || len(a.items) != len(b.items) {
		return or(at, " as a whole")
	}
	for i := range a.items {
		below := fmt.Sprintf("%s.%d", at, i)
		if a.kind == mapKind {
			if below = at + "." + a.keys[i]; a.keys[i] != b.keys[i] {
				return below
			}
		}
		if found := differs(a.items[i], b.items[i], below); found != "" {
			return found
		}
	}
	return ""
}
