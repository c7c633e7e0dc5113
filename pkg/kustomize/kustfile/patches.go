package kustfile

import (
	"slices"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// HasPatch tells whether the file has exactly this patch.
func (f *File) HasPatch(p kustomize.Patch) bool {
	return slices.ContainsFunc(f.Patches, func(o kustomize.Patch) bool { return samePatch(o, p) })
}

// RemovePatch takes out every patch that is exactly this one, and says whether there was one.
func (f *File) RemovePatch(p kustomize.Patch) bool {
	before := len(f.Patches)
	f.Patches = slices.DeleteFunc(f.Patches, func(o kustomize.Patch) bool { return samePatch(o, p) })
	return len(f.Patches) < before
}

func samePatch(a, b kustomize.Patch) bool {
	return a.Path == b.Path && a.Patch == b.Patch && same(a.Target, b.Target) && same(a.Options, b.Options)
}

func same[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}
