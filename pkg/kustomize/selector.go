package kustomize

import (
	"regexp"
	"strings"
)

// namedKind is a name of a kind. What is in a struct of a struct, the library does not turn from a number into text, and so
// neither does kustomize.
type namedKind struct {
	gvk
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// Selector names resources by patterns.
type Selector struct {
	namedKind
	AnnotationSelector string `json:"annotationSelector,omitempty"`
	LabelSelector      string `json:"labelSelector,omitempty"`
}

// pattern matches a whole text; an empty one matches anything, a plain one itself.
type pattern struct {
	plain string
	re    *regexp.Regexp
}

func compilePattern(s string) (pattern, error) {
	if s == regexp.QuoteMeta(s) {
		return pattern{plain: s}, nil
	}
	re, err := regexp.Compile("^(?:" + s + ")$")
	return pattern{re: re}, err
}

func (p pattern) match(s string) bool {
	if p.re != nil {
		return p.re.MatchString(s)
	}
	return p.plain == "" || p.plain == s
}

// compiled is a selector ready for use. What is wrong with the selectors of labels and annotations matters once there is a
// resource to ask for them.
type compiled struct {
	group, version, kind, name, namespace pattern
	labels, annotations                   labelSelector
	errLabels, errAnnotations             error
}

func (s Selector) compile() (c compiled, err error) {
	for _, each := range []struct {
		to   *pattern
		from string
	}{{&c.group, s.Group}, {&c.version, s.Version}, {&c.kind, s.Kind}, {&c.name, s.Name}, {&c.namespace, s.Namespace}} {
		if *each.to, err = compilePattern(each.from); err != nil {
			return c, err
		}
	}
	if s.LabelSelector != "" {
		c.labels, c.errLabels = parseLabelSelector(s.LabelSelector)
	}
	if s.AnnotationSelector != "" {
		c.annotations, c.errAnnotations = parseLabelSelector(s.AnnotationSelector)
	}
	return c, nil
}

func (c *compiled) kindMatches(g gvk) bool {
	return c.kind.match(g.Kind) && c.group.match(g.Group) && c.version.match(g.Version)
}

func (c *compiled) noted(o *Object) (bool, error) {
	if c.errLabels != nil || c.labels != nil && !c.labels.matches(o.stringMap("labels")) {
		return false, c.errLabels
	}
	if c.errAnnotations != nil || c.annotations != nil && !c.annotations.matches(o.stringMap("annotations")) {
		return false, c.errAnnotations
	}
	return true, nil
}

// choose finds the resources of a patch's target: names and namespaces are those of now or of the beginning.
func (m *resMap) choose(s Selector) ([]*Object, error) {
	c, err := s.compile()
	if err != nil {
		return nil, err
	}
	list := m.list
	if c.name.re == nil && c.name.plain != "" {
		list = m.named(c.name.plain)
	}
	var out []*Object
	for _, o := range list {
		if !c.kindMatches(o.gvk()) {
			continue
		}
		now, org := o.id(), o.orgID()
		if !c.name.match(org.name) && !c.name.match(now.name) || !c.namespace.match(org.namespace) && !c.namespace.match(now.namespace) {
			continue
		}
		noted, err := c.noted(o)
		if err != nil {
			return nil, err
		}
		if noted {
			out = append(out, o)
		}
	}
	return out, nil
}

// named finds the resources with a name, of now or of the beginning.
func (m *resMap) named(name string) []*Object {
	if m.names == nil {
		m.names = make(map[string][]*Object, len(m.list))
		for _, o := range m.list {
			now, org := o.Name(), o.orgID().name
			m.names[now] = append(m.names[now], o)
			if org != now {
				m.names[org] = append(m.names[org], o)
			}
		}
	}
	return m.names[name]
}

func (s Selector) String() string {
	i := id{s.gvk, s.Name, s.Namespace}
	return i.String() + ":a=" + s.AnnotationSelector + ":l=" + strings.TrimSpace(s.LabelSelector)
}
