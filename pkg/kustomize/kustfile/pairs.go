package kustfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// ParsePairs reads key:value arguments, whose values may be quoted. kind names them in errors.
func ParsePairs(args []string, kind string) (map[string]string, error) {
	out := map[string]string{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, ":")
		if key == "" && arg != "" {
			return nil, fmt.Errorf("invalid %s: '%s' (need k:v pair where v may be quoted)", kind, arg)
		}
		if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		out[key] = value
	}
	return out, nil
}

// AddPairs adds labels or annotations to a map of the file. One that is there already is an error unless forced.
func AddPairs(to *map[string]string, pairs map[string]string, kind string, force bool) error {
	if *to == nil {
		*to = map[string]string{}
	}
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		if _, ok := (*to)[key]; ok && !force {
			return fmt.Errorf("%s %s already in kustomization file. Use --force to override.", kind, key) //nolint:staticcheck // kustomize's text
		}
		(*to)[key] = pairs[key]
	}
	return nil
}

// AddLabels adds labels that leave selectors alone to the first entry of labels with these settings, or to a new one.
func (f *File) AddLabels(pairs map[string]string, templates, force bool) error {
	i := slices.IndexFunc(f.Labels, func(l kustomize.Label) bool { return !l.IncludeSelectors && l.IncludeTemplates == templates })
	if i < 0 {
		i = len(f.Labels)
		f.Labels = append(f.Labels, kustomize.Label{IncludeTemplates: templates})
	}
	return AddPairs(&f.Labels[i].Pairs, pairs, "label", force)
}

// RemovePairs takes keys out of a map of the file, which field names. A missing one is an error unless it may be.
func RemovePairs(from map[string]string, keys []string, field, kind string, mayMiss bool) error {
	if from == nil && !mayMiss {
		return fmt.Errorf("%s is not defined in kustomization file", field)
	}
	for _, key := range keys {
		if _, ok := from[key]; !ok && !mayMiss {
			return fmt.Errorf("%s %s is not defined in kustomization file", kind, key)
		}
		delete(from, key)
	}
	return nil
}
