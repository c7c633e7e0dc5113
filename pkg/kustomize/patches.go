package kustomize

import "errors"

// patch is an entry of patches.
type patch struct {
	Path string `json:"path,omitempty"`
}

func (t *target) patches(m *resMap) error {
	if len(t.k.Patches) > 0 {
		return errors.New("patches are not supported yet")
	}
	return nil
}

func (t *target) patchesStrategicMerge(m *resMap) error {
	if len(t.k.PatchesStrategicMerge) > 0 {
		return errors.New("patches are not supported yet")
	}
	return nil
}

func (t *target) patchesJSON6902(m *resMap) error {
	if len(t.k.PatchesJSON6902) > 0 {
		return errors.New("patches are not supported yet")
	}
	return nil
}
