package main

import (
	"io/fs"
	"path/filepath"
)

// find lists the directories with a kustomization file.
func find(root string) []string {
	var dirs []string
	seen := map[string]bool{}
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		switch d.Name() {
		case "kustomization.yaml", "kustomization.yml", "Kustomization":
			if dir := filepath.Dir(path); !d.IsDir() && !seen[dir] {
				seen[dir] = true
				dirs = append(dirs, dir)
			}
		}
		return nil
	})
	return dirs
}
