// Package kustfile is a kustomization file as people keep it: it is read, changed, and written again with its comments and
// the order of its fields, byte for byte as "kustomize edit" does. What an edit makes of a file is decided here, in
// functions that tests call plainly; the package knows no flags and renders nothing.
package kustfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// Names are what a kustomization may be called; the first is what a new one is called.
var Names = [...]string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// File is a kustomization with the place it came from.
type File struct {
	*kustomize.Kustomization
	Path   string
	layout []section
}

// Find names the one kustomization file of a directory.
func Find(dir string) (string, error) {
	var found []string
	for _, name := range Names {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			found = append(found, filepath.Join(dir, name))
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("Missing kustomization file '%s'.\n", Names[0]) //nolint:staticcheck // kustomize's text
	case 1:
	default:
		return "", fmt.Errorf("Found multiple kustomization file: %v\n", found) //nolint:staticcheck // kustomize's text
	}
	if info, err := os.Stat(found[0]); err == nil && info.IsDir() {
		return "", fmt.Errorf("%s should be a file", found[0])
	}
	return found[0], nil
}

// Read reads a file. Deprecated fields that have a new name are under it afterwards.
func Read(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	k, err := kustomize.ParseKustomization(data)
	if err != nil {
		return nil, err
	}
	k.Fix()
	return &File{k, path, layoutOf(data)}, nil
}

// Edit changes the kustomization file of a directory.
func Edit(dir string, change func(*File) error) error {
	path, err := Find(dir)
	if err != nil {
		return err
	}
	f, err := Read(path)
	if err != nil {
		return err
	}
	switch err := change(f); {
	case errors.Is(err, ErrUnchanged):
		return nil
	case err != nil:
		return err
	}
	return f.Write()
}

// ErrUnchanged is what a change returns to leave the file as it is: not even its layout becomes canonical.
var ErrUnchanged = errors.New("nothing to change")

// Write puts the file back where it came from.
func (f *File) Write() error {
	data, err := f.bytes()
	if err != nil {
		return err
	}
	return os.WriteFile(f.Path, data, 0o666)
}
