package kustomize

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Version is the kustomize whose behaviour this is.
const Version = "v5.8.1"

// origin is where a resource came from, or what has been at work on it.
type origin struct {
	Path string `yaml:"path,omitempty"`
	Repo string `yaml:"repo,omitempty"`
	Ref  string `yaml:"ref,omitempty"`
	// ConfiguredIn and ConfiguredBy are the file and the identity of the plugin's config.
	ConfiguredIn string       `yaml:"configuredIn,omitempty"`
	ConfiguredBy configurator `yaml:"configuredBy,omitempty"`
}

type configurator struct {
	APIVersion string `yaml:"apiVersion,omitempty"`
	Kind       string `yaml:"kind,omitempty"`
	Name       string `yaml:"name,omitempty"`
	Namespace  string `yaml:"namespace,omitempty"`
}

// join gives the origin of what a kustomization names. Without a wish to know, there is none.
func (o *origin) join(path string) *origin {
	if o == nil {
		return nil
	}
	c := *o
	if r, err := parseRepository(path); err == nil {
		// Of the root of a repository the real one says the name that it has before it is there.
		c.Repo, c.Ref, c.Path, path = r.URL, r.Ref, "", or(r.Path, "notCloned")
	}
	c.Path = filepath.Join(c.Path, path)
	return &c
}

// fieldOrigin is the origin of what a field of a kustomization makes.
func (t *target) fieldOrigin(kind string) *origin {
	if t.origin == nil {
		return nil
	}
	in := filepath.Join(t.origin.Path, filepath.Base(t.path))
	return &origin{Repo: t.origin.Repo, Ref: t.origin.Ref, ConfiguredIn: in, ConfiguredBy: configurator{APIVersion: "builtin", Kind: kind}}
}

// configuredBy is the origin of what the plugin of a config makes.
func (o *Object) configuredBy() *origin {
	if o.origin == nil {
		return nil
	}
	return &origin{Repo: o.origin.Repo, Ref: o.origin.Ref, ConfiguredIn: o.origin.Path, ConfiguredBy: configurator{o.APIVersion(), o.Kind(), o.Name(), o.Namespace()}}
}

// cameFrom notes the origin of a loaded resource, in annotations: so they must be a mapping.
func (o *Object) cameFrom(from *origin) error {
	if notes := o.root.at("metadata", "annotations"); !notes.isNull() {
		if err := sameKind(mapKind, notes); err != nil {
			return fmt.Errorf("annotations of %s: %w", o.id(), err)
		}
	}
	o.openNotes()
	o.origin = from
	if o.open {
		return o.reveal(o.root.at("metadata", "annotations"), true, false)
	}
	return nil
}

// attribute notes on every resource that a transformer has been at work. What has no origin yet, the transformer has made.
func (m *resMap) attribute(by *origin) error {
	if by == nil {
		return nil
	}
	for _, o := range m.list {
		if o.root.isEmpty() {
			continue
		}
		if notes := o.root.at("metadata", "annotations"); notes != nil && notes.kind != mapKind {
			// kustomize keeps origins in annotations, and so not beside a scalar.
			o.origin, o.transformations = nil, nil
		}
		if o.origin == nil {
			o.origin = by
		} else {
			o.transformations = append(o.transformations, by)
		}
		// To note it, all annotations are written again at the end of the metadata, and share nothing any more.
		if err := o.rewriteNotes(); err != nil {
			return err
		}
		o.plainStrings("annotations")
	}
	return nil
}

// rewriteNotes writes all annotations of an open object again, with its origin and what was at work on it.
func (o *Object) rewriteNotes() error {
	if !o.open {
		return nil
	}
	o.openNotes()
	if err := o.reveal(o.root.at("metadata", "annotations"), true, true); err != nil {
		return err
	}
	o.plainStrings("annotations")
	return nil
}

const (
	originAnnotation    = "config.kubernetes.io/origin"
	transformAnnotation = "alpha.config.kubernetes.io/transformations"
	managedByLabel      = "app.kubernetes.io/managed-by"
)

// internalAnnotation holds for what kustomize and its functions note on their way, which never reaches the output.
func internalAnnotation(key string) bool {
	if key == originAnnotation || key == transformAnnotation {
		return true
	}
	if rest, ok := strings.CutPrefix(key, "internal.config.kubernetes.io/"); ok {
		switch rest {
		case "previousKinds", "previousNames", "prefixes", "suffixes", "previousNamespaces", "allowNameChange", "allowKindChange",
			"refBy", "generatorBehavior", "needsHashSuffix", "path", "index", "seqindent", "annotations-migration-resource-id",
			"id", "helm-generated":
			return true
		}
	}
	return key == "config.kubernetes.io/path" || key == "config.kubernetes.io/index" || key == "config.k8s.io/id"
}

// finish puts the last touches on the documents: annotations are always strings, and none is left empty.
func (b *builder) finish(a *accumulator) ([]*Object, error) {
	if b.options.ManagedBy || slices.Contains(b.metadata, "managedByLabel") {
		if err := setEntries(&a.resMap, map[string]string{managedByLabel: "kustomize-" + Version}, metadataLabels()); err != nil {
			return nil, err
		}
	}
	from, through := slices.Contains(b.metadata, "originAnnotations"), slices.Contains(b.metadata, "transformerAnnotations")
	for _, o := range a.list {
		meta := o.root.ensureMap("metadata")
		notes := meta.get("annotations")
		switch {
		case notes.isNull() || notes.kind == mapKind:
		case notes.kind == seqKind && len(notes.items)%2 > 0:
			return nil, fmt.Errorf("annotations of %s: line %d: they are a list, and must be a mapping", o.id(), notes.line)
		case notes.kind == seqKind:
			o.plainStrings("annotations")
			notes = meta.get("annotations")
		default:
			// kustomize reads a scalar as no annotations at all.
			meta.remove("annotations")
			notes = nil
		}
		if notes != nil && notes.kind == mapKind {
			notes.dropInternal()
			for i, v := range notes.items {
				// A new one, since other fields may share the old one.
				notes.items[i] = newText(v.value)
				notes.items[i].bareKey = true
			}
		}
		if from || through {
			if err := o.reveal(meta.ensureMap("annotations"), from, through); err != nil {
				return nil, err
			}
		}
		if notes := meta.get("annotations"); notes.isEmpty() {
			meta.remove("annotations")
		}
	}
	return a.list, nil
}

// reveal writes origins into annotations.
func (o *Object) reveal(notes *node, from, through bool) error {
	if notes == nil || notes.kind != mapKind {
		return nil
	}
	if from && o.origin != nil {
		text, err := encodeYAML(o.origin)
		if err != nil {
			return err
		}
		notes.set(originAnnotation, newString(string(text)))
	}
	if through && len(o.transformations) > 0 {
		text, err := encodeYAML(o.transformations)
		if err != nil {
			return err
		}
		notes.set(transformAnnotation, newString(string(text)))
	}
	return nil
}
