package kustomize

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// fieldSpec names a field of some kinds of resources.
type fieldSpec struct {
	gvk    `yaml:",inline"`
	Path   string `json:"path,omitempty"`
	Create bool   `json:"create,omitempty"`
	steps  []string
}

func (f *fieldSpec) path() []string {
	if f.steps == nil {
		f.steps = splitPath(f.Path)
	}
	return f.steps
}

// splitPath cuts a path at slashes that have no backslash before them.
func splitPath(path string) []string {
	path = strings.TrimPrefix(path, "/")
	parts := strings.Split(path, "/")
	steps := parts[:0]
	for i := 0; i < len(parts); i++ {
		p := parts[i]
		for strings.HasSuffix(p, `\`) && i+1 < len(parts) {
			i++
			p = p[:len(p)-1] + "/" + parts[i]
		}
		steps = append(steps, p)
	}
	return steps
}

// nameReference says in which fields resources of a kind are named.
type nameReference struct {
	gvk
	FieldSpecs []fieldSpec `json:"fieldSpecs,omitempty"`
}

// fieldConfig holds the field specs of all transformers.
type fieldConfig struct {
	NamePrefix        []fieldSpec     `json:"namePrefix,omitempty"`
	NameSuffix        []fieldSpec     `json:"nameSuffix,omitempty"`
	Namespace         []fieldSpec     `json:"namespace,omitempty"`
	CommonLabels      []fieldSpec     `json:"commonLabels,omitempty"`
	Labels            []fieldSpec     `json:"labels,omitempty"`
	TemplateLabels    []fieldSpec     `json:"templateLabels,omitempty"`
	CommonAnnotations []fieldSpec     `json:"commonAnnotations,omitempty"`
	NameReference     []nameReference `json:"nameReference,omitempty"`
	VarReference      []fieldSpec     `json:"varReference,omitempty"`
	Images            []fieldSpec     `json:"images,omitempty"`
	Replicas          []fieldSpec     `json:"replicas,omitempty"`
}

//go:embed fieldspecs.txt
var defaultSpecs string

// defaultConfig is the configuration of every build that brings none of its own. It is read once and never changed.
var defaultConfig = sync.OnceValue(func() *fieldConfig {
	c := parseSpecs(defaultSpecs)
	c.sort()
	return c
})

func parseSpecs(text string) *fieldConfig {
	c := &fieldConfig{}
	var into *[]fieldSpec
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] != ' ' {
			into = c.section(line)
			continue
		}
		path, rest, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
		create, kinds, _ := strings.Cut(rest, " ")
		steps := splitPath(path)
		*into = slices.Grow(*into, strings.Count(kinds, " ")+1)
		for kind := range strings.SplitSeq(kinds, " ") {
			*into = append(*into, fieldSpec{gvk: parseSelector(kind), Path: path, Create: create == "+", steps: steps})
		}
	}
	return c
}

func (c *fieldConfig) section(line string) *[]fieldSpec {
	if kind, ok := strings.CutPrefix(line, "nameReference "); ok {
		c.NameReference = append(c.NameReference, nameReference{gvk: parseSelector(kind)})
		return &c.NameReference[len(c.NameReference)-1].FieldSpecs
	}
	return c.slices()[line]
}

func (c *fieldConfig) slices() map[string]*[]fieldSpec {
	return map[string]*[]fieldSpec{
		"namePrefix": &c.NamePrefix, "nameSuffix": &c.NameSuffix, "namespace": &c.Namespace, "commonLabels": &c.CommonLabels,
		"labels": &c.Labels, "templateLabels": &c.TemplateLabels, "commonAnnotations": &c.CommonAnnotations,
		"varReference": &c.VarReference, "images": &c.Images, "replicas": &c.Replicas,
	}
}

func parseSelector(s string) (g gvk) {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		g.Group, s = s[:i], s[i+1:]
	}
	if i := strings.IndexByte(s, ':'); i >= 0 {
		g.Version, s = s[:i], s[i+1:]
	}
	if s != "*" {
		g.Kind = s
	}
	return g
}

// mergeSpecs adds the specs that are not covered yet.
func mergeSpecs(have, more []fieldSpec) ([]fieldSpec, error) {
	out := have[:len(have):len(have)]
next:
	for _, x := range more {
		for _, h := range out {
			if h.Path == x.Path && h.gvk.selectedBy(x.gvk) {
				if h.Create != x.Create {
					return nil, fmt.Errorf("conflicting fieldspecs: %s is said to be made where missing, and not to be", x.Path)
				}
				continue next
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// merge gives a configuration with another's specs added; nil is an empty one. Specs of all kinds come last: merged once
// more, those go whose path a spec of some kind has already. So kustomize does it.
func (c *fieldConfig) merge(o *fieldConfig) (*fieldConfig, error) {
	switch {
	case o == nil || c == o:
		return c, nil
	case c == nil && o == defaultConfig():
		return o, nil
	case c == nil:
		c = &fieldConfig{}
	}
	m := &fieldConfig{}
	defer m.sort()
	mine, theirs := c.slices(), o.slices()
	for name, out := range m.slices() {
		merged, err := mergeSpecs(*mine[name], *theirs[name])
		if err != nil {
			return nil, fmt.Errorf("merge %s: %w", name, err)
		}
		*out = slices.Clone(merged)
	}
	m.NameReference = slices.Clone(c.NameReference)
	for _, ref := range o.NameReference {
		if err := m.addReference(ref); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// sort puts the specs in the order in which they are compared with others and applied.
func (c *fieldConfig) sort() {
	places := places{of: map[gvk]int{}}
	sections := c.slices()
	for _, specs := range sections {
		for _, f := range *specs {
			places.add(f.gvk)
		}
	}
	for _, ref := range c.NameReference {
		places.add(ref.gvk)
	}
	places.sort(defaultOrder())
	for _, specs := range sections {
		slices.SortStableFunc(*specs, func(x, y fieldSpec) int { return places.of[x.gvk] - places.of[y.gvk] })
	}
	slices.SortStableFunc(c.NameReference, func(x, y nameReference) int { return places.of[x.gvk] - places.of[y.gvk] })
}

func (c *fieldConfig) addReference(ref nameReference) error {
	for i := range c.NameReference {
		if c.NameReference[i].gvk == ref.gvk {
			merged, err := mergeSpecs(c.NameReference[i].FieldSpecs, ref.FieldSpecs)
			if err != nil {
				return fmt.Errorf("merge nameReference of %s: %w", ref.gvk, err)
			}
			c.NameReference[i].FieldSpecs = merged
			return nil
		}
	}
	c.NameReference = append(c.NameReference, ref)
	return nil
}

// visit calls set on the field of a document, and on each one where the path crosses lists. create is the node to make
// where the spec says so; nil makes nothing.
func (f *fieldSpec) visit(n *node, create func() *node, set func(*node) error) error {
	if err := f.walk(n, f.path(), create, set); err != nil {
		return fmt.Errorf("considering field '%s' of object %s: %w", f.Path, (&Object{root: n}).id(), err)
	}
	return nil
}

func (f *fieldSpec) walk(n *node, path []string, create func() *node, set func(*node) error) error {
	if len(path) == 0 {
		return set(n)
	}
	if n.isNull() {
		return nil
	}
	switch n.kind {
	case seqKind:
		for _, item := range n.items {
			if err := f.walk(item, path, create, set); err != nil {
				return err
			}
		}
		return nil
	case scalarKind:
		return fmt.Errorf("line %d: expected sequence or mapping node, found %q", n.line, n.value)
	}
	name, isList := strings.CutSuffix(path[0], "[]")
	if err := checkFieldName(name); err != nil {
		return err
	}
	field := n.get(name)
	makes := f.Create && create != nil && !isList
	if field == nil {
		if !makes {
			return nil
		}
		field = &node{tag: nullTag}
		n.set(name, field)
	}
	if field.isNull() {
		switch {
		case isList:
			field.turnInto(newSeq())
		case makes && len(path) == 1:
			field.turnInto(create())
		case makes:
			field.turnInto(newMap())
		}
	}
	return f.walk(field, path[1:], create, set)
}

// turnInto makes null something of another kind. It keeps the word that it was written as, even as text.
func (n *node) turnInto(o *node) { n.kind, n.tag = o.kind, o.tag }

// checkFieldName refuses what would be a step into a list, since lists are crossed without saying so.
func checkFieldName(name string) error {
	_, number := atoi(name)
	switch {
	case name == "":
		return errors.New("cannot set or create an empty field name")
	case name == "*":
		return errors.New("fieldName: *: wildcard is not supported; leave it out, lists are crossed anyway")
	case number, name == "-", isListStep(name):
		return fmt.Errorf("fieldName: %s: a field name is wanted here, not a place in a list", name)
	}
	return nil
}
