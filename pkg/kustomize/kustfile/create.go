package kustfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// Create makes a new file in a directory.
func Create(dir string) *File {
	k := &kustomize.Kustomization{}
	k.Fix()
	return &File{Kustomization: k, Path: filepath.Join(dir, Names[0])}
}

// Detect finds the manifests of a directory. Below it, only if asked, it finds directories with kustomizations too, and
// leaves what is in them to those.
func Detect(dir string, recursive bool) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || path == dir:
			return err
		case entry.IsDir() && !recursive:
			return filepath.SkipDir
		case entry.IsDir():
			if slices.ContainsFunc(Names[:], func(name string) bool { return exists(filepath.Join(path, name)) }) {
				out = append(out, path)
				return filepath.SkipDir
			}
			return nil
		}
		data, err := os.ReadFile(path)
		if err == nil && kustomize.IsManifest(data) {
			out = append(out, path)
		}
		return err
	})
	return out, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
