package kustomize

import "errors"

func (t *target) configure(a *accumulator) error {
	if len(t.k.Configurations) > 0 {
		return errors.New("configurations are not supported yet")
	}
	return nil
}
