package kustomize

import (
	"fmt"
	"strings"
)

// references finds what a name meant before it was changed.
type references struct {
	// byName holds the renamed resources under each of their earlier names, in order.
	byName map[string][]*candidate
	// byOrigin holds all resources under the namespace that they came with.
	byOrigin map[string][]*candidate
	config   *fieldConfig
	// fields are those of each kind that may hold a name, found once since resources are many and kinds few.
	fields map[gvk][]referrer
}

// referrer is a field with the kind of what it names.
type referrer struct {
	spec   *fieldSpec
	target gvk
}

func (r *references) fieldsOf(g gvk) []referrer {
	list, ok := r.fields[g]
	if ok {
		return list
	}
	for i := range r.config.NameReference {
		ref := &r.config.NameReference[i]
		for j := range ref.FieldSpecs {
			if s := &ref.FieldSpecs[j]; g.selectedBy(s.gvk) {
				list = append(list, referrer{s, ref.gvk})
			}
		}
	}
	r.fields[g] = list
	return list
}

// candidate is a resource that may be referred to, with its identities computed once.
type candidate struct {
	*Object
	now, org id
}

// fixReferences writes the final names into the fields that refer to renamed resources.
func (a *accumulator) fixReferences() error {
	refs := references{byName: map[string][]*candidate{}, byOrigin: map[string][]*candidate{},
		config: a.fieldConfig(), fields: map[gvk][]referrer{}}
	all := make([]*candidate, len(a.list))
	for i, o := range a.list {
		c := &candidate{o, o.id(), o.orgID()}
		all[i] = c
		refs.byOrigin[c.org.namespace] = append(refs.byOrigin[c.org.namespace], c)
		for _, p := range o.past {
			if at := refs.byName[p.name]; len(at) == 0 || at[len(at)-1] != c {
				refs.byName[p.name] = append(at, c)
			}
		}
	}
	for _, c := range all {
		if err := refs.fix(c); err != nil {
			return err
		}
	}
	a.renamed()
	return nil
}

func (r *references) fix(from *candidate) error {
	fields := r.fieldsOf(from.org.gvk)
	if len(fields) == 0 {
		return nil
	}
	if err := from.checkSubjects(); err != nil {
		return err
	}
	written := from.root.get("apiVersion").text()
	if parsed := from.now.apiVersion(); written != parsed {
		return fmt.Errorf("node-referrerOriginal 'APIVersion' mismatch '%s' != '%s'", written, parsed)
	}
	for _, field := range fields {
		f := fixer{r, from, field.target, field.spec.Path}
		if err := field.spec.visit(from.root, nil, f.set); err != nil {
			return fmt.Errorf("updating name reference in '%s' field of '%s': %w", f.path, from.now, err)
		}
	}
	return nil
}

// fixer updates one field of one resource.
type fixer struct {
	*references
	from   *candidate
	target gvk
	path   string
}

func (f fixer) set(n *node) error {
	switch {
	case n.isNull():
		return nil
	case n.kind == mapKind:
		return f.setMap(n)
	case n.kind == scalarKind:
		return f.setScalar(n)
	}
	for _, item := range n.items {
		var err error
		switch {
		case item.isNull():
		case item.kind == scalarKind:
			err = f.setScalar(item)
		case item.kind == mapKind:
			err = f.setMap(item)
		default:
			err = fmt.Errorf("line %d: expected to be either a string or a map of string", item.line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f fixer) setScalar(n *node) error {
	to, err := f.choose(n.value, nil, func(a, b *candidate) bool { return a.Name() == b.Name() })
	if err != nil || to == nil {
		return err
	}
	if name := to.Name(); name != n.value {
		n.assign(autoTag, name)
	}
	return nil
}

// setMap updates a reference that has a namespace beside its name.
func (f fixer) setMap(n *node) error {
	name := n.get("name")
	if name == nil {
		return fmt.Errorf("line %d: path config error; no 'name' field in node", n.line)
	}
	var in func(*candidate) bool
	if ns := n.get("namespace"); ns != nil {
		in = f.namespaceFilter(ns.value)
	}
	to, err := f.choose(name.value, in, func(a, b *candidate) bool {
		return a.Name() == b.Name() && a.Namespace() == b.Namespace()
	})
	if err != nil || to == nil {
		return err
	}
	if to.Name() == name.value && to.Namespace() == "" {
		return nil
	}
	if !name.isNull() {
		name.assign(autoTag, to.Name())
	}
	if to.Namespace() == "" {
		return nil
	}
	if ns := n.get("namespace"); ns == nil {
		n.add("namespace", newString(to.Namespace()))
	} else if !ns.isNull() {
		ns.assign(autoTag, to.Namespace())
	}
	return nil
}

// namespaceFilter takes the namespace for an original one if any resource came with it, else for a current one.
func (f fixer) namespaceFilter(ns string) func(*candidate) bool {
	if ns == clusterWide {
		return func(*candidate) bool { return false }
	}
	for _, c := range f.byOrigin[ns] {
		if f.reachable(c) {
			return func(c *candidate) bool { return c.org.namespace == ns }
		}
	}
	return func(c *candidate) bool { return c.now.namespace == ns }
}

// reachable holds for what the referrer may refer to at all: in its namespace, in none, or the namespace of a subject.
func (f fixer) reachable(c *candidate) bool {
	from := f.from.now.namespace
	return from == clusterWide || c.now.namespace == clusterWide || c.now.namespace == from || f.from.bindsIn(c.Namespace())
}

// bindsIn holds for a RoleBinding with a service account of this namespace.
func (c *candidate) bindsIn(ns string) bool {
	if c.now.Kind != "RoleBinding" {
		return false
	}
	subjects := c.root.get("subjects")
	if subjects == nil || subjects.kind != seqKind {
		return false
	}
	for _, s := range subjects.items {
		if v := s.get("namespace"); v != nil && v.value == ns && s.get("kind").text() == "ServiceAccount" {
			return true
		}
	}
	return false
}

// readsAsText holds for a scalar that is a string to whoever reads the document.
func (n *node) readsAsText() bool {
	t := n.meaning()
	return n.kind == scalarKind && (t == strTag || t == otherTag || t == binaryTag)
}

// checkSubjects refuses a service account whose namespace is there but no text, which kustomize calls blank.
func (c *candidate) checkSubjects() error {
	subjects := c.root.get("subjects")
	if c.now.Kind != "RoleBinding" || subjects == nil || subjects.kind != seqKind {
		return nil
	}
	for _, s := range subjects.items {
		if ns := s.get("namespace"); ns != nil && !ns.readsAsText() && s.get("kind").text() == "ServiceAccount" {
			return fmt.Errorf("line %d: Invalid Input: namespace is blank for resource %q", ns.line, c.now)
		}
	}
	return nil
}

// choose finds the one resource that a name meant, nil if there is none.
func (f fixer) choose(name string, in func(*candidate) bool, same func(a, b *candidate) bool) (*candidate, error) {
	var list []*candidate
	role := f.roleRef()
	for _, c := range f.byName[name] {
		if (in == nil || in(c)) && f.reachable(c) && c.wasKind(f.target) && (role == nil || c.wasKind(*role)) && f.sameNamespace(c) {
			list = append(list, c)
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	list = f.sieve(list, true)
	if len(list) > 1 {
		list = f.sieve(list, false)
	}
	if len(list) == 0 {
		return nil, nil
	}
	for _, c := range list[1:] {
		if !same(list[0], c) {
			return nil, fmt.Errorf("found multiple possible referrals: %s, %s", list[0].now, c.now)
		}
	}
	return list[0], nil
}

// sieve keeps the resources that were given the same prefixes and suffixes as the referrer.
func (f fixer) sieve(list []*candidate, allowEmpty bool) []*candidate {
	var out []*candidate
	for _, c := range list {
		if matchAffixes(c.prefixes, f.from.prefixes, allowEmpty) && matchAffixes(c.suffixes, f.from.suffixes, allowEmpty) {
			out = append(out, c)
		}
	}
	return out
}

func matchAffixes(a, b []string, allowEmpty bool) bool {
	return allowEmpty && (len(a) == 0 || len(b) == 0) || sameEnding(a, b)
}

func (c *candidate) wasKind(g gvk) bool {
	for i := range c.past {
		if c.pastID(i).gvk.selectedBy(g) {
			return true
		}
	}
	return false
}

func (f fixer) sameNamespace(c *candidate) bool {
	from := f.from.now.namespace
	return from == clusterWide || c.now.namespace == clusterWide || c.now.Kind == "ServiceAccount" || from == c.now.namespace
}

// roleRef gives the kind that a binding's roleRef names, nil for other fields.
func (f fixer) roleRef() *gvk {
	if !strings.HasSuffix(f.path, "roleRef/name") {
		return nil
	}
	ref := f.from.root.get("roleRef")
	if ref.get("apiGroup").isNull() || ref.get("kind").isNull() {
		return nil
	}
	return &gvk{Group: ref.get("apiGroup").value, Kind: ref.get("kind").value}
}
