package kustomize

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

type tracker struct{ now, before string }

// Annotations that functions tell resources by, each under its name of today and its older one.
var trackers = [...]tracker{
	{internalPrefix + "path", "config.kubernetes.io/path"},
	{internalPrefix + "index", "config.kubernetes.io/index"},
	{internalPrefix + "id", "config.k8s.io/id"},
}

const (
	pathTracker = iota
	indexTracker
	idTracker
)

const migrationID = internalPrefix + "annotations-migration-resource-id"

// track sets a tracker under both its names.
func track(n *yaml.Node, tracker int, value string) {
	annotate(n, trackers[tracker].before, value)
	annotate(n, trackers[tracker].now, value)
}

// tracked finds the input that a function's output says it was.
func trackedBy(items []*yaml.Node, number string, first int) *yaml.Node {
	i, err := strconv.Atoi(number)
	if i -= first; err != nil || i < 0 || i >= len(items) {
		return nil
	}
	return items[i]
}

// retrack brings the trackers of a function's output in line: a path that only one name has holds for both, and one that is
// missing comes from the kind and the name.
func retrack(items []*yaml.Node, n *yaml.Node) error {
	if annotation(n, trackers[pathTracker].now) == "" && annotation(n, trackers[pathTracker].before) == "" {
		meta := field(n, "metadata")
		track(n, pathTracker, path.Join(wireText(meta, "namespace"), strings.ToLower(wireText(n, "kind"))+"_"+wireText(meta, "name")+".yaml"))
	}
	old := trackedBy(items, annotation(n, migrationID), 0)
	for _, t := range trackers[:idTracker] {
		now, legacy, was := annotation(n, t.now), annotation(n, t.before), annotation(old, t.now)
		switch {
		case now == legacy:
		case legacy == "" || was != "" && legacy == was:
			annotate(n, t.before, now)
		case now == "" || was != "" && now == was:
			annotate(n, t.now, legacy)
		default:
			return fmt.Errorf("resource input to function has mismatched legacy and internal %s annotations: %q and %q",
				strings.TrimPrefix(t.now, internalPrefix), legacy, now)
		}
	}
	dropAnnotations(n, migrationID, internalPrefix+"seqindent", trackers[indexTracker].now, trackers[indexTracker].before,
		trackers[idTracker].now, trackers[idTracker].before)
	return nil
}

// matchShape refuses a field that a function made a mapping, a list or a scalar when it was not: kustomize cannot carry its
// comments over.
func matchShape(items []*yaml.Node, n *yaml.Node) error {
	old := trackedBy(items, or(annotation(n, trackers[idTracker].now), annotation(n, trackers[idTracker].before)), 1)
	if err := sameShape(old, n, ""); err != nil {
		return fmt.Errorf("function output of %s/%s: %w", wireText(n, "kind"), wireText(field(n, "metadata"), "name"), err)
	}
	return nil
}

func sameShape(a, b *yaml.Node, at string) error {
	if a == nil || b == nil || a.Tag == "!!null" || b.Tag == "!!null" || b.Kind == yaml.AliasNode {
		return nil
	}
	if a.Kind != b.Kind {
		return fmt.Errorf("line %d: %s: wrong node kind: it was another one in the input", b.Line, strings.TrimPrefix(at, "."))
	}
	switch a.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(a.Content); i += 2 {
			key := a.Content[i].Value
			if err := sameShape(a.Content[i+1], field(b, key), at+"."+key); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for i := range min(len(a.Content), len(b.Content)) {
			if a.Content[i].Value != b.Content[i].Value {
				continue
			}
			if err := sameShape(a.Content[i], b.Content[i], fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	}
	return nil
}
