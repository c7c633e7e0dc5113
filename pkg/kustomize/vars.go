package kustomize

import "errors"

// variable is an entry of vars.
type variable struct {
	Name string `json:"name"`
}

func (a *accumulator) addVars(vars []variable) error {
	a.vars = append(a.vars, vars...)
	return nil
}

func (a *accumulator) mergeVars(vars []variable) error {
	if len(vars) > 0 {
		return errors.New("vars are not supported yet; use replacements")
	}
	return nil
}

func (a *accumulator) resolveVars(func(string)) error { return nil }
