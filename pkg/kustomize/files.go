package kustomize

import (
	"fmt"
	"strings"
)

// FileNames gives each object the name of the file that "build -o DIR" writes it to: its group, version, kind and name,
// and its namespace where several objects share these.
func FileNames(objects []*Object) []string {
	names := make([]string, len(objects))
	shared := map[string]int{}
	for i, o := range objects {
		g := o.gvk()
		var parts []string
		for _, p := range []string{g.Group, g.Version, g.Kind, o.Name()} {
			if p != "" {
				parts = append(parts, p)
			}
		}
		names[i] = strings.ToLower(fmt.Sprintf("%s.yaml", strings.Join(parts, "_")))
		shared[names[i]]++
	}
	for i, o := range objects {
		if shared[names[i]] > 1 && o.Namespace() != "" {
			names[i] = strings.ToLower(o.Namespace()) + "_" + names[i]
		}
	}
	return names
}
