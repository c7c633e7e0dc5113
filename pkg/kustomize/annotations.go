package kustomize

func addAnnotations(m *resMap, entries map[string]string, specs []fieldSpec) error {
	return setEntries(m, entries, specs)
}
