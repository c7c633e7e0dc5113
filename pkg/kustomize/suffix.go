package kustomize

func addSuffix(m *resMap, suffix string, specs []fieldSpec) error {
	if suffix == "" {
		return nil
	}
	return affix(m, specs, func(o *Object) { o.suffixes = append(o.suffixes, suffix) }, func(name string) string { return name + suffix })
}
