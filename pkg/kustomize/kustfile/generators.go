package kustfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// Source is what the configmap and secret commands are told.
type Source struct {
	Name, Namespace, NewNamespace string
	Files, Literals               []string
	EnvFile, Behavior, Type       string
	DisableNameSuffixHash         bool
}

// ExpandFiles replaces patterns among the files by what they match. A file with a key must be one.
func (s *Source) ExpandFiles(warn func(line string)) error {
	var out []string
	for _, source := range s.Files {
		key, pattern := "", source
		if parts := strings.Split(source, "="); len(parts) == 2 {
			key, pattern = parts[0], parts[1]
		} else {
			pattern = parts[0]
		}
		files, err := Glob([]string{pattern}, warn)
		if err != nil {
			return err
		}
		if key == "" {
			out = append(out, files...)
			continue
		}
		if len(files) != 1 {
			return fmt.Errorf("'pattern '%s' catches files %v, should catch only one", source, files)
		}
		out = append(out, key+"="+files[0])
	}
	s.Files = out
	return nil
}

// CheckAdd takes the name from the arguments and refuses sources that cannot be added.
func (s *Source) CheckAdd(args []string) error {
	if len(args) != 1 {
		return errors.New("name must be specified once")
	}
	s.Name = args[0]
	switch other := len(s.Files) > 0 || len(s.Literals) > 0; {
	case s.EnvFile == "" && !other:
		return errors.New("at least from-env-file, or from-file or from-literal must be set")
	case s.EnvFile != "" && other:
		return errors.New("from-env-file cannot be combined with from-file or from-literal")
	}
	if !slices.Contains([]string{"", "create", "merge", "replace"}, s.Behavior) {
		return errors.New(`invalid behavior: must be one of "create", "merge", or "replace"`)
	}
	return nil
}

// CheckSet takes the name from the arguments and refuses to set nothing.
func (s *Source) CheckSet(args []string) error {
	if len(args) != 1 {
		return errors.New("name must be specified once")
	}
	s.Name = args[0]
	if len(s.Literals) == 0 && s.NewNamespace == "" {
		return errors.New("at least one of [--from-literal, --new-namespace] must be specified")
	}
	return nil
}

// is tells whether a generator has this name. No namespace and the default one are the same.
func (s *Source) is(g kustomize.ConfigMapArgs) bool {
	return g.Name == s.Name && SameNamespace(g.Namespace, s.Namespace)
}

// SameNamespace compares namespaces; none is the default one.
func SameNamespace(a, b string) bool {
	const none = "default"
	if a == "" {
		a = none
	}
	if b == "" {
		b = none
	}
	return a == b
}

// AddConfigMap adds the source to the config map generator of its name, or as a new one.
func (f *File) AddConfigMap(s *Source) *kustomize.ConfigMapArgs {
	i := slices.IndexFunc(f.ConfigMapGenerator, s.is)
	if i < 0 {
		i = len(f.ConfigMapGenerator)
		f.ConfigMapGenerator = append(f.ConfigMapGenerator, kustomize.ConfigMapArgs{Name: s.Name, Namespace: s.Namespace})
	}
	s.addTo(&f.ConfigMapGenerator[i], f.GeneratorOptions)
	return &f.ConfigMapGenerator[i]
}

// AddSecret adds the source to the secret generator of its name, whose type stays, or as a new one.
func (f *File) AddSecret(s *Source) *kustomize.ConfigMapArgs {
	i := slices.IndexFunc(f.SecretGenerator, func(g kustomize.SecretArgs) bool { return s.is(g.ConfigMapArgs) })
	if i < 0 {
		i = len(f.SecretGenerator)
		f.SecretGenerator = append(f.SecretGenerator, kustomize.SecretArgs{
			ConfigMapArgs: kustomize.ConfigMapArgs{Name: s.Name, Namespace: s.Namespace}, Type: s.Type,
		})
	}
	s.addTo(&f.SecretGenerator[i].ConfigMapArgs, f.GeneratorOptions)
	return &f.SecretGenerator[i].ConfigMapArgs
}

func (s *Source) addTo(g *kustomize.ConfigMapArgs, all *kustomize.GeneratorOptions) {
	g.Literals = append(g.Literals, s.Literals...)
	g.Files = append(g.Files, s.Files...)
	if s.EnvFile != "" {
		g.Envs = append(g.Envs, s.EnvFile)
	}
	if s.DisableNameSuffixHash {
		g.Options = &kustomize.GeneratorOptions{DisableNameSuffixHash: true}
	}
	if s.Behavior != "" {
		g.Behavior = s.Behavior
	}
	spell(g, all)
}

// spell writes the options of all generators into one that an edit touched, as kustomize does.
func spell(g *kustomize.ConfigMapArgs, all *kustomize.GeneratorOptions) {
	g.Options = g.Options.With(all)
}

// SetConfigMap changes literals and the namespace of an existing config map generator.
func (f *File) SetConfigMap(s *Source) (*kustomize.ConfigMapArgs, error) {
	i := slices.IndexFunc(f.ConfigMapGenerator, s.is)
	if i < 0 {
		return nil, fmt.Errorf("could not set new ConfigMap value: unable to find ConfigMap with name %q", s.Name)
	}
	g := &f.ConfigMapGenerator[i]
	return g, s.set(g, f.GeneratorOptions)
}

// SetSecret changes literals and the namespace of an existing secret generator.
func (f *File) SetSecret(s *Source) (*kustomize.ConfigMapArgs, error) {
	i := slices.IndexFunc(f.SecretGenerator, func(g kustomize.SecretArgs) bool { return s.is(g.ConfigMapArgs) })
	if i < 0 {
		return nil, fmt.Errorf("could not set new Secret value: unable to find Secret with name %q", s.Name)
	}
	g := &f.SecretGenerator[i].ConfigMapArgs
	return g, s.set(g, f.GeneratorOptions)
}

func (s *Source) set(g *kustomize.ConfigMapArgs, all *kustomize.GeneratorOptions) error {
	for _, literal := range slices.Concat(g.Literals, s.Literals) {
		if len(s.Literals) > 0 && strings.Count(literal, "=") != 1 {
			return errors.New("failed to update literal sources: failed to update resource: " +
				"invalid format: literal values must be specified in the key=value format")
		}
	}
	for _, literal := range s.Literals {
		key, _, _ := strings.Cut(literal, "=")
		i := slices.IndexFunc(g.Literals, func(old string) bool { return strings.HasPrefix(old, key+"=") })
		if i < 0 {
			return fmt.Errorf("failed to update literal sources: key '%s' not found in resource", key)
		}
		g.Literals[i] = literal
	}
	if s.NewNamespace != "" {
		g.Namespace = s.NewNamespace
	}
	spell(g, all)
	return nil
}
