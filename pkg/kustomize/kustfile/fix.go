package kustfile

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// Modernize moves what deprecated fields hold to the fields that took their place. vars stay: they need more (Vars).
func (f *File) Modernize() error {
	f.Patches = append(f.Patches, f.PatchesJSON6902...)
	f.PatchesJSON6902 = nil
	for _, text := range f.PatchesStrategicMerge {
		// What can be read as a file is the name of one; anything else is the patch itself.
		if _, err := os.ReadFile(filepath.Join(filepath.Dir(f.Path), text)); err == nil {
			f.Patches = append(f.Patches, kustomize.Patch{Path: text})
		} else {
			f.Patches = append(f.Patches, kustomize.Patch{Patch: text})
		}
	}
	f.PatchesStrategicMerge = nil
	if len(f.CommonLabels) == 0 {
		return nil
	}
	for _, label := range f.Labels {
		for key := range label.Pairs {
			if _, ok := f.CommonLabels[key]; ok {
				return fmt.Errorf("label name '%s' exists in both commonLabels and labels", key)
			}
		}
	}
	f.Labels = append(f.Labels, kustomize.Label{Pairs: f.CommonLabels, IncludeSelectors: true})
	f.CommonLabels = nil
	return nil
}
