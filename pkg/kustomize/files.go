package kustomize

import "strings"

// FileNames gives each object the name of the file that "build -o DIR" writes it to: its group, version, kind and name,
// and before those its namespace where the objects have several.
func FileNames(objects []*Object) []string {
	spaces := map[string]bool{}
	for _, o := range objects {
		if !clusterScoped(o.gvk()) {
			spaces[or(o.Namespace(), "default")] = true
		}
	}
	names := make([]string, len(objects))
	for i, o := range objects {
		g := o.gvk()
		var parts []string
		if len(spaces) > 1 && !clusterScoped(g) {
			parts = append(parts, or(o.Namespace(), "default"))
		}
		for _, p := range []string{g.Group, g.Version, g.Kind} {
			if p != "" {
				parts = append(parts, p)
			}
		}
		names[i] = strings.ToLower(strings.Join(append(parts, o.Name()), "_") + ".yaml")
	}
	return names
}
