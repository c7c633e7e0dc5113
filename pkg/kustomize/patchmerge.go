package kustomize

import (
	"errors"
	"fmt"
)

// patchStrategicMergeTransformer is the plugin of that name; patchesStrategicMerge is its config.
type patchStrategicMergeTransformer struct {
	// Paths are files, or patches themselves.
	Paths   []string `json:"paths,omitempty"`
	Patches string   `json:"patches,omitempty"`
	merges  []*Object
}

func (p *patchStrategicMergeTransformer) prepare(t *target) error {
	if len(p.Paths) == 0 && p.Patches == "" {
		return errors.New("empty file path and empty patch content")
	}
	for _, entry := range p.Paths {
		merges, err := t.schemas.parsePatches([]byte(entry))
		if err != nil {
			data, errLoad := t.loader.load(entry)
			if errLoad != nil {
				return errLoad
			}
			if merges, err = t.schemas.parsePatches(data); err != nil {
				return fmt.Errorf("%w in File: %s", err, entry)
			}
		}
		p.merges = append(p.merges, merges...)
	}
	merges, err := t.schemas.parsePatches([]byte(p.Patches))
	if err != nil {
		return err
	}
	if p.merges = append(p.merges, merges...); len(p.merges) == 0 {
		return fmt.Errorf("patch appears to be empty; files=%v, Patch=%s", p.Paths, p.Patches)
	}
	return nil
}

func (p *patchStrategicMergeTransformer) transform(m *resMap) error {
	for _, sm := range p.merges {
		o, err := m.theOne(sm.id())
		if err != nil {
			return err
		}
		for _, o := range m.namesakes([]*Object{o}) {
			if err := m.mergeInto(o, sm.forTarget(o), patchOptions{}); err != nil {
				return err
			}
		}
		m.dropEmpty()
		if err := m.checkUnique(); err != nil {
			return err
		}
	}
	return nil
}
