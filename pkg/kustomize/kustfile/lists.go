package kustfile

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// Glob expands patterns on disk. Hidden files match only a pattern that begins so, and a pattern without a match is told.
func Glob(patterns []string, warn func(line string)) ([]string, error) {
	var out []string
	for _, pattern := range patterns {
		files, err := glob(pattern)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			warn(pattern + " has no match")
		}
		out = append(out, files...)
	}
	return out, nil
}

func glob(pattern string) ([]string, error) {
	files, err := filepath.Glob(pattern)
	hidden := func(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }
	if !hidden(pattern) {
		files = slices.DeleteFunc(files, hidden)
	}
	return files, err
}

// GlobOrRoot expands patterns on disk. One without a match must name another kustomization, which root checks.
func GlobOrRoot(patterns []string, root func(path string) error) ([]string, error) {
	var out []string
	for _, pattern := range patterns {
		files, err := glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("error checking the filesystem: %w", err)
		}
		if len(files) == 0 {
			if err := root(pattern); err != nil {
				return nil, fmt.Errorf("%s has no match: %w", pattern, err)
			}
			files = []string{pattern}
		}
		out = append(out, files...)
	}
	return out, nil
}

// Match gives the entries of a list that a pattern matches, in the patterns' order.
func Match(list, patterns []string) ([]string, error) {
	var out []string
	for _, pattern := range patterns {
		for _, entry := range list {
			ok, err := filepath.Match(pattern, entry)
			if err != nil {
				return nil, err
			}
			if ok {
				out = append(out, entry)
			}
		}
	}
	return out, nil
}

// Without leaves out what patterns match, and says whether anything did.
func Without(list, patterns []string) (kept []string, matched bool, err error) {
	gone, err := Match(list, patterns)
	for _, entry := range list {
		if !slices.Contains(gone, entry) {
			kept = append(kept, entry)
		}
	}
	return kept, len(gone) > 0, err
}

// AddPaths adds paths to a list of the file, leaving out the file itself. What is there already is told.
func (f *File) AddPaths(list *[]string, what string, paths []string, warn func(line string)) {
	for _, path := range paths {
		switch {
		case path == f.Path:
		case slices.Contains(*list, path):
			warn(fmt.Sprintf("%s %s already in kustomization file", what, path))
		default:
			*list = append(*list, path)
		}
	}
}

// ParseBuildMetadata reads the one argument of the buildmetadata commands.
func ParseBuildMetadata(args []string) ([]string, error) {
	switch len(args) {
	case 0:
		return nil, errors.New("must specify a buildMetadata option")
	case 1:
	default:
		return nil, fmt.Errorf("too many arguments: %s; to provide multiple buildMetadata options, please separate options by comma", args)
	}
	options := strings.Split(args[0], ",")
	for _, option := range options {
		if !slices.Contains(kustomize.BuildMetadataOptions[:], option) {
			return nil, fmt.Errorf("invalid buildMetadata option: %s", option)
		}
	}
	return options, nil
}
