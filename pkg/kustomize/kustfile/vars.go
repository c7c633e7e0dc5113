package kustfile

import (
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// ReplaceVars turns the vars of a file into replacements: each place in the resources and patches that mentions a var
// becomes a target, and the mention a placeholder in the file it was found in.
func (f *File) ReplaceVars() error {
	if f.Vars == nil {
		return nil
	}
	files, err := touched(f.Kustomization, "")
	if err != nil {
		return err
	}
	f.Replacements = nil
	for _, v := range f.Vars {
		r := kustomize.Replacement{Source: sourceOf(v)}
		for _, file := range files {
			targets, err := file.targets(v.Name)
			if err != nil {
				return err
			}
			r.Targets = append(r.Targets, targets...)
		}
		for _, file := range files {
			if err := file.hold(v.Name); err != nil {
				return err
			}
		}
		f.Replacements = append(f.Replacements, r)
	}
	f.Vars = nil
	return nil
}

// source is a file that a kustomization reads, with the patch that names it if one does.
type source struct {
	path  string
	patch *kustomize.Patch
}

// touched lists what a kustomization and those below it read.
func touched(k *kustomize.Kustomization, dir string) ([]source, error) {
	var out []source
	for _, resource := range k.Resources {
		for _, name := range Names {
			data, err := os.ReadFile(path.Join(resource, name))
			if err != nil {
				continue
			}
			below, err := kustomize.ParseKustomization(data)
			if err != nil {
				return nil, err
			}
			more, err := touched(below, resource)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
		out = append(out, source{path: path.Join(dir, resource)})
	}
	for i, p := range k.Patches {
		if p.Path != "" {
			out = append(out, source{path.Join(dir, p.Path), &k.Patches[i]})
		}
	}
	return out, nil
}

func sourceOf(v kustomize.Variable) *kustomize.ReplacementSource {
	s := &kustomize.ReplacementSource{FieldPath: v.FieldRef.FieldPath}
	s.Name, s.Namespace = v.ObjRef.Name, v.ObjRef.Namespace
	s.Group, s.Version = splitVersion(v.ObjRef.APIVersion)
	s.Kind = v.ObjRef.Kind
	return s
}

func splitVersion(apiVersion string) (group, version string) {
	if group, version, ok := strings.Cut(apiVersion, "/"); ok {
		return group, version
	}
	return "", apiVersion
}

// hold puts a placeholder where a file mentions a var.
func (s source) hold(name string) error {
	data, err := os.ReadFile(s.path)
	if err != nil {
		return nil // a directory, or what is not there: only a build minds
	}
	text := strings.ReplaceAll(string(data), mention(name), name+"_PLACEHOLDER")
	if text == string(data) {
		return nil
	}
	return os.WriteFile(s.path, []byte(text), 0o666)
}

func mention(name string) string { return fmt.Sprintf("$(%s)", name) }
