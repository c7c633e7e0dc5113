package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// Replacement is an entry of replacements: inline, or a file of one or many.
type Replacement struct {
	Source      *ReplacementSource  `json:"source,omitempty"`
	Targets     []ReplacementTarget `json:"targets,omitempty"`
	SourceValue *string             `json:"sourceValue,omitempty"`
	Path        string              `json:"path,omitempty"`
}

type ReplacementSource struct {
	namedKind
	FieldPath string        `json:"fieldPath,omitempty"`
	Options   *FieldOptions `json:"options,omitempty"`
}

type ReplacementTarget struct {
	Select     *Selector     `json:"select"`
	Reject     []Selector    `json:"reject,omitempty"`
	FieldPaths []string      `json:"fieldPaths,omitempty"`
	Options    *FieldOptions `json:"options,omitempty"`
}

type FieldOptions struct {
	Delimiter string `json:"delimiter,omitempty"`
	Index     int    `json:"index,omitempty"`
	Encoding  string `json:"encoding,omitempty"`
	Create    bool   `json:"create,omitempty"`
}

const defaultFieldPath = "metadata.name"

// replacementTransformer is the plugin of that name; replacements is its config.
type replacementTransformer struct {
	Replacements []replacementField `json:"replacements,omitempty"`
	list         []Replacement
}

// replacementField is an entry of a config. What is in a struct of a struct, the library does not turn from a number into
// text, and so neither does kustomize.
type replacementField struct{ Replacement }

// transform copies values from sources to the fields of targets.
func (p *replacementTransformer) transform(m *resMap) error {
	for _, o := range m.list {
		// Whatever is selected, every resource is asked for the names it had.
		if err := o.checkNotes(); err != nil {
			return err
		}
	}
	r := replacer{m}
	for i := range p.list {
		if err := r.run(&p.list[i]); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	m.renamed()
	return nil
}

// renames holds if what comes next may have to find resources by other names. notes holds if a resource may get another past.
func (t *ReplacementTarget) renames() (renames, notes bool) {
	renames = len(t.FieldPaths) == 0
	for _, path := range t.FieldPaths {
		steps := splitFieldPath(path)
		renames = renames || steps[0] == "metadata"
		notes = notes || reachesNotes(steps)
	}
	return renames, notes
}

// prepare reads the files that hold replacements.
func (p *replacementTransformer) prepare(t *target) error {
	fields := p.list
	for _, r := range p.Replacements {
		fields = append(fields, r.Replacement)
	}
	p.list = nil
	for _, r := range fields {
		if r.Path == "" {
			if len(r.Targets) == 0 {
				r.Targets = nil
			}
			p.list = append(p.list, r)
			continue
		}
		if r.Source != nil || len(r.Targets) > 0 {
			return errors.New("cannot specify both path and inline replacement")
		}
		data, err := t.loader.load(r.Path)
		if err != nil {
			return err
		}
		j, err := toJSON(data)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Path, err)
		}
		// Only into a type that asks for text does the library turn a number into one.
		var more []Replacement
		switch {
		case bytes.HasPrefix(j, []byte("{")):
			more = make([]Replacement, 1)
			err = yaml.Unmarshal(data, &more[0])
		case bytes.HasPrefix(j, []byte("[")):
			err = yaml.Unmarshal(data, &more)
		default:
			err = errors.New("it must hold a replacement or a list of them")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", r.Path, err)
		}
		p.list = append(p.list, more...)
	}
	return nil
}

type replacer struct{ m *resMap }

// anyID holds if one of the identities of an object fits, with their namespaces as replacements see them: today's as written.
func (o *Object) anyID(fits func(id) bool) bool {
	today := id{o.gvk(), o.Name(), o.Namespace()}
	if fits(today) {
		return true
	}
	for at, i := range o.past {
		if at < o.unplaced {
			i.namespace = ""
		}
		// The group and version are always today's.
		i.Group, i.Version = today.Group, today.Version
		if fits(i) {
			return true
		}
	}
	return false
}

func (r *replacer) run(p *Replacement) error {
	if p.SourceValue == nil && p.Source == nil || p.Targets == nil {
		return errors.New("replacements must specify a source and at least one target")
	}
	value, err := r.value(p)
	if err != nil {
		return err
	}
	for i := range p.Targets {
		if err := r.apply(&p.Targets[i], value); err != nil {
			return err
		}
	}
	return nil
}

func (r *replacer) value(p *Replacement) (*node, error) {
	if p.SourceValue != nil {
		if p.Source != nil {
			return nil, errors.New("value and resource selectors are mutually exclusive")
		}
		return newAuto(*p.SourceValue), nil
	}
	s := p.Source
	from, err := r.source(s)
	if err != nil {
		return nil, err
	}
	path := or(s.FieldPath, defaultFieldPath)
	v, err := from.lookup(splitFieldPath(path))
	if err != nil {
		return nil, fmt.Errorf("error looking up replacement source: %w", err)
	}
	if v.isEmpty() {
		return nil, fmt.Errorf("fieldPath `%s` is missing for replacement source %s", path, s)
	}
	if s.Options == nil || s.Options.Delimiter == "" {
		return v, nil
	}
	if v.kind != scalarKind {
		return nil, errors.New("delimiter option can only be used with scalar nodes")
	}
	parts := strings.Split(v.value, s.Options.Delimiter)
	if s.Options.Index < 0 || s.Options.Index >= len(parts) {
		return nil, fmt.Errorf("options.index %d is out of bounds for value %s", s.Options.Index, v.value)
	}
	part := v.copy()
	part.value = parts[s.Options.Index]
	return part, nil
}

func (s *ReplacementSource) String() string { return id{s.gvk, s.Name, s.Namespace}.String() }

func (r *replacer) source(s *ReplacementSource) (*Object, error) {
	list := r.m.list
	if s.Name != "" {
		list = r.m.byAnyName()[s.Name]
	}
	fits := func(i id) bool {
		return (s.Name == "" || s.Name == i.name) && (s.Namespace == "" || s.Namespace == or(i.namespace, "default")) && i.gvk.selectedBy(s.gvk)
	}
	var match *Object
	for _, o := range list {
		if !o.anyID(fits) {
			continue
		}
		if match != nil {
			return nil, fmt.Errorf("multiple matches for selector %s", s)
		}
		match = o
	}
	if match == nil {
		return nil, fmt.Errorf("nothing selected by %s%s", s, r.m.instead(id{s.gvk, s.Name, s.Namespace}))
	}
	return match, nil
}

func (c *compiled) matches(i id) bool {
	return c.kindMatches(i.gvk) && c.name.match(i.name) && c.namespace.match(i.namespace)
}

func (r *replacer) apply(t *ReplacementTarget, value *node) error {
	if t.Select == nil {
		return errors.New("target must specify resources to select")
	}
	selectors := make([]compiled, 0, 1+len(t.Reject))
	for _, s := range append([]Selector{*t.Select}, t.Reject...) {
		c, err := s.compile()
		// Here every resource is asked for labels and annotations.
		if err = errors.Join(err, c.errLabels, c.errAnnotations); err != nil {
			return fmt.Errorf("error creating target selector: %w", err)
		}
		selectors = append(selectors, c)
	}
	choose, rejects := selectors[0], selectors[1:]
	list := r.m.list
	if choose.name.re == nil && choose.name.plain != "" {
		list = r.m.byAnyName()[choose.name.plain]
	}
	renames, notes := t.renames()
	for _, o := range list {
		if noted, _ := choose.noted(o); !noted || !o.anyID(choose.matches) || rejected(o, t.Reject, rejects) {
			continue
		}
		var err error
		set := func() error { return t.copyTo(o, value) }
		if notes {
			err = o.changingNotes(set)
		} else {
			err = set()
		}
		if err != nil {
			return fmt.Errorf("target %s: %w", o.id(), err)
		}
	}
	if renames {
		r.m.renamed()
	}
	return nil
}

func rejected(o *Object, rejects []Selector, ready []compiled) bool {
	for i, reject := range rejects {
		if reject.AnnotationSelector != "" || reject.LabelSelector != "" {
			if noted, _ := ready[i].noted(o); noted {
				return true
			}
		}
		if (reject.gvk != gvk{} || reject.Name != "" || reject.Namespace != "") && o.anyID(ready[i].matches) {
			return true
		}
	}
	return false
}

func (t *ReplacementTarget) copyTo(o *Object, value *node) error {
	paths := t.FieldPaths
	if len(paths) == 0 {
		paths = []string{defaultFieldPath}
	}
	for _, path := range paths {
		m := matcher{}
		what := "find"
		if t.Options != nil && t.Options.Create {
			m.create, what = value, "find or create"
		}
		steps := splitFieldPath(path)
		if setStructured(o.root, steps, value, m.create) {
			continue
		}
		if err := m.match(o.root, steps); err != nil {
			return fmt.Errorf("unable to %s field %q in replacement target: %w", what, path, err)
		}
		if len(m.found) == 0 {
			return fmt.Errorf("unable to %s field %q in replacement target", what, path)
		}
		for _, field := range m.found {
			if err := t.setField(field, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *ReplacementTarget) setField(field, value *node) error {
	text := value.value
	if o := t.Options; o != nil && o.Delimiter != "" {
		if field.kind != scalarKind {
			return errors.New("delimiter option can only be used with scalar nodes")
		}
		parts := strings.Split(field.value, o.Delimiter)
		switch {
		case o.Index < 0:
			parts = append([]string{text}, parts...)
		case o.Index >= len(parts):
			parts = append(parts, text)
		default:
			parts[o.Index] = text
		}
		text = strings.Join(parts, o.Delimiter)
	}
	if field.kind == scalarKind {
		// Over null this does not work in kustomize either: the writer will say so.
		field.value = text
		return nil
	}
	*field = *value.copy()
	return nil
}
