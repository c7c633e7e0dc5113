package kustomize

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// valueAddTransformer is the plugin of that name: one value, put into fields of resources or into a path that they hold.
type valueAddTransformer struct {
	// Value is by default the name of the kustomization's directory.
	Value          string           `json:"value,omitempty"`
	Targets        []valueAddTarget `json:"targets,omitempty"`
	TargetFilePath string           `json:"targetFilePath,omitempty"`
}

type valueAddTarget struct {
	Selector  *Selector `json:"selector,omitempty"`
	FieldPath string    `json:"fieldPath,omitempty"`
	// FilePathPosition, counted from 1, is where the value goes in a path; 0 replaces the field.
	FilePathPosition int `json:"filePathPosition,omitempty"`
}

func (p *valueAddTransformer) prepare(t *target) error {
	if p.Value = strings.TrimSpace(p.Value); p.Value == "" {
		p.Value = filepath.Base(t.loader.root)
	}
	if p.TargetFilePath != "" {
		data, err := t.loader.load(p.TargetFilePath)
		if err != nil {
			return err
		}
		var more valueAddTransformer
		if err := yaml.Unmarshal(data, &more); err != nil {
			return fmt.Errorf("%s: %w", p.TargetFilePath, err)
		}
		p.Targets = append(p.Targets, more.Targets...)
	}
	if len(p.Targets) == 0 {
		return errors.New("must specify at least one target")
	}
	for i, target := range p.Targets {
		if target.FieldPath == "" {
			return fmt.Errorf("targets[%d]: fieldPath cannot be empty", i)
		}
		if target.FilePathPosition < 0 {
			return fmt.Errorf("targets[%d]: value of FilePathPosition (%d) cannot be negative", i, target.FilePathPosition)
		}
	}
	return nil
}

func (p *valueAddTransformer) transform(m *resMap) error {
	move := namespaceTransformer{Metadata: pluginMetadata{Namespace: p.Value}}
	for i, target := range p.Targets {
		list := m.list
		if target.Selector != nil {
			var err error
			if list, err = m.choose(*target.Selector); err != nil {
				return fmt.Errorf("targets[%d]: %w", i, err)
			}
		}
		for _, o := range list {
			var err error
			if target.FieldPath == "metadata/namespace" {
				err = move.move(m.schemas, o)
			} else {
				err = target.add(o.root, p.Value)
			}
			if err != nil {
				return fmt.Errorf("targets[%d]: field %s of %s: %w", i, target.FieldPath, o.id(), err)
			}
		}
	}
	m.renamed()
	return nil
}

func (t *valueAddTarget) add(root *node, value string) error {
	n, err := root.lookupCreate(splitPath(t.FieldPath))
	if n == nil || err != nil {
		return err
	}
	if t.FilePathPosition > 0 && n.kind == scalarKind {
		value = insertPathPart(n.value, t.FilePathPosition-1, value)
	}
	return setScalar(n, autoTag, value)
}

// insertPathPart puts a part into a path, counted without the slash in front. A position past the end is the end.
func insertPathPart(at string, position int, part string) string {
	var parts []string
	for _, p := range strings.Split(at, "/") {
		if p != "" {
			parts = append(parts, p)
		}
	}
	joined := path.Join(slices.Insert(parts, min(position, len(parts)), part)...)
	if strings.HasPrefix(at, "/") {
		return "/" + joined
	}
	return joined
}
