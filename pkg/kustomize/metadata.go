package kustomize

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Version is the kustomize whose behaviour this is.
const Version = "v5.8.1"

// origin is where a resource came from.
type origin struct {
	path string
	// file and by are the kustomization and the generator that made it.
	file, by string
}

// join gives the origin of what a kustomization names. Without a wish to know, there is none.
func (o *origin) join(path string) *origin {
	if o == nil {
		return nil
	}
	return &origin{path: filepath.Join(o.path, path)}
}

func (t *target) generatorOrigin(kind string) *origin {
	if t.origin == nil {
		return nil
	}
	return &origin{file: filepath.Join(t.origin.path, filepath.Base(t.path)), by: kind}
}

func (o *origin) String() string {
	if o.by != "" {
		return "configuredIn: " + o.file + "\nconfiguredBy:\n  apiVersion: builtin\n  kind: " + o.by + "\n"
	}
	return "path: " + o.path + "\n"
}

func (k *Kustomization) checkMetadata() error {
	for _, option := range k.BuildMetadata {
		switch option {
		case "originAnnotations", "managedByLabel":
		case "transformerAnnotations":
			return fmt.Errorf("buildMetadata option '%s' is not supported yet", option)
		}
	}
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
	origins := slices.Contains(b.metadata, "originAnnotations")
	if b.options.ManagedBy || slices.Contains(b.metadata, "managedByLabel") {
		if err := setEntries(&a.resMap, map[string]string{managedByLabel: "kustomize-" + Version}, metadataLabels()); err != nil {
			return nil, err
		}
	}
	for _, o := range a.list {
		meta := o.root.ensureMap("metadata")
		notes := meta.get("annotations")
		if notes != nil && notes.kind == mapKind {
			for _, key := range slices.Clone(notes.keys) {
				if internalAnnotation(key) {
					notes.remove(key)
				}
			}
			for _, v := range notes.items {
				v.tag = strTag
			}
		}
		if origins && o.origin != nil {
			meta.ensureMap("annotations").set(originAnnotation, newString(o.origin.String()))
		}
		if notes := meta.get("annotations"); notes.isEmpty() {
			meta.remove("annotations")
		}
	}
	return a.list, nil
}
