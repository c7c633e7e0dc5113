package kustomize

import (
	"fmt"
	"maps"
	"slices"
)

// Label is an entry of labels.
type Label struct {
	Pairs            map[string]string `json:"pairs,omitempty"`
	IncludeSelectors bool              `json:"includeSelectors,omitempty"`
	IncludeTemplates bool              `json:"includeTemplates,omitempty"`
	Fields           []fieldSpec       `json:"fields,omitempty"`
}

// labelTransformer is the plugin of that name; an entry of labels is its config, and so is commonLabels.
type labelTransformer struct {
	Labels     map[string]string `json:"labels,omitempty"`
	FieldSpecs []fieldSpec       `json:"fieldSpecs,omitempty"`
}

func (p *labelTransformer) prepare(*target) error { return nil }

func (p *labelTransformer) transform(m *resMap) error { return setEntries(m, p.Labels, p.FieldSpecs) }

// transformer gives the config that an entry of labels stands for.
func (l *Label) transformer(c *fieldConfig) (*labelTransformer, error) {
	specs, err := mergeSpecs(l.Fields, c.Labels)
	if err == nil {
		switch {
		case l.IncludeSelectors:
			specs, err = mergeSpecs(specs, c.CommonLabels)
		case l.IncludeTemplates:
			if specs, err = mergeSpecs(specs, c.TemplateLabels); err == nil {
				specs, err = mergeSpecs(specs, metadataLabels())
			}
		default:
			specs, err = mergeSpecs(specs, metadataLabels())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("failed to merge labels: %w", err)
	}
	return &labelTransformer{l.Pairs, specs}, nil
}

func metadataLabels() []fieldSpec { return []fieldSpec{{Path: "metadata/labels", Create: true}} }

// setEntries puts entries into the mappings that the specs name.
func setEntries(m *resMap, entries map[string]string, specs []fieldSpec) error {
	if len(entries) == 0 {
		return nil
	}
	keys := slices.Sorted(maps.Keys(entries))
	for _, o := range m.list {
		g := o.gvk()
		// Entry by entry: what one of them made, a spec that makes nothing finds with the next one.
		for _, k := range keys {
			// In kustomize the fields of a resource that get an entry share it: a later change of one is a change of all.
			v := newString(entries[k])
			quotes := v.style
			for i := range specs {
				if !g.selectedBy(specs[i].gvk) {
					continue
				}
				if err := specs[i].visit(o.root, newMap, func(n *node) error { return putEntry(n, k, v, quotes) }); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// putEntry puts in a value that may have lost the quotes that it needs to one that it took the place of before.
func putEntry(n *node, key string, v *node, quotes style) error {
	if n.isNull() {
		return nil
	}
	if n.kind != mapKind {
		return fmt.Errorf("line %d: wrong node kind: expected MappingNode but got %s", n.line, n.describe())
	}
	if v.style == plainStyle {
		v.style = quotes
	}
	n.set(key, v)
	return nil
}
