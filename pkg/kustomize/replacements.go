package kustomize

import "errors"

// replacement is an entry of replacements.
type replacement struct {
	Path string `json:"path,omitempty"`
}

func (t *target) replace(m *resMap) error {
	if len(t.k.Replacements) > 0 {
		return errors.New("replacements are not supported yet")
	}
	return nil
}
