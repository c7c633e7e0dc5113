package kustomize

import "fmt"

// resMap is the ordered set of resources of a build. The index by identity is built when first asked for and dropped when
// names change, so that a transformer over all resources costs one rebuild, not one per resource.
type resMap struct {
	list []*Object
	// schemas are those of the build.
	schemas *schemas
	// current finds by today's identity, any by every identity that a resource has had.
	current map[id]*Object
	any     map[id][]*Object
	names   map[string][]*Object
	// anyNames finds by every name that a resource has had.
	anyNames map[string][]*Object
	// unchecked holds when names have changed since it was last made sure that no two resources have the same.
	unchecked bool
	// held counts the resources of each identity, once it was asked for; shared is how many identities several have.
	held   map[id]int
	shared int
	// emptied holds when a resource was deleted and is still in the list.
	emptied bool
	// trace, if any, hears of every step.
	trace *Trace
	// touched are the objects that the step at work changed, if there is a trace.
	touched []*Object
}

// renamed forgets the index after changes of names. Two resources may have the same now.
func (m *resMap) renamed() {
	m.forget()
	m.unchecked = true
}

// moved says that a resource may have another identity than before. The index by names and the counts stay, so that many patches
// that each give one resource a name cost no index each: choose, which uses it, looks at what it finds again.
func (m *resMap) moved(o *Object, before id) {
	now := o.id()
	if now == before {
		return
	}
	names, held := m.names, m.held
	m.renamed()
	if m.held = held; held != nil {
		m.release(before)
		m.hold(now)
	}
	switch {
	case names == nil:
	case now.name == before.name:
		m.names = names
	case len(names[now.name]) == 0:
		names[now.name] = []*Object{o}
		m.names = names
	}
}

func (m *resMap) forget() { m.current, m.any, m.names, m.anyNames, m.held = nil, nil, nil, nil, nil }

// lost forgets the index if a patch took the past of a resource away, so that it is not found by it any more.
func (m *resMap) lost(o *Object, had int) {
	if len(o.past) < had {
		m.forget()
	}
}

// allDiffer holds if no two resources have one identity.
func (m *resMap) allDiffer() bool {
	if m.held == nil {
		m.held, m.shared = make(map[id]int, len(m.list)), 0
		for _, o := range m.list {
			m.hold(o.id())
		}
	}
	return m.shared == 0
}

func (m *resMap) hold(i id) {
	if m.held[i]++; m.held[i] == 2 {
		m.shared++
	}
}

func (m *resMap) release(i id) {
	if m.held[i]--; m.held[i] == 1 {
		m.shared--
	}
}

// namesakes adds the resources that have the identity of a selected one by now: kustomize patches them, too.
func (m *resMap) namesakes(selected []*Object) []*Object {
	if !m.unchecked || len(selected) == 0 || m.allDiffer() {
		return selected
	}
	wanted := make(map[id]bool, len(selected))
	for _, o := range selected {
		wanted[o.id()] = true
	}
	var all []*Object
	for _, o := range m.list {
		if wanted[o.id()] {
			all = append(all, o)
		}
	}
	return all
}

// checkUnique refuses two resources of one name. Transformers can bring that about; strategic merge patches find out.
func (m *resMap) checkUnique() error {
	if !m.unchecked {
		return nil
	}
	m.unchecked = false
	if m.allDiffer() {
		return nil
	}
	seen := make(map[id]bool, len(m.list))
	for _, o := range m.list {
		if o.root.isEmpty() {
			continue
		}
		i := o.id()
		if seen[i] {
			return fmt.Errorf("may not add resource with an already registered id: %s", i)
		}
		seen[i] = true
	}
	return nil
}

func (m *resMap) byCurrent() map[id]*Object {
	if m.current == nil {
		m.current = make(map[id]*Object, len(m.list))
		for _, o := range m.list {
			m.current[o.id()] = o
		}
	}
	return m.current
}

func (m *resMap) byAny(i id) []*Object {
	if m.any == nil {
		m.any = make(map[id][]*Object, len(m.list))
		for _, o := range m.list {
			m.indexAny(o)
		}
	}
	return m.any[i]
}

func (m *resMap) indexAny(o *Object) {
	add := func(i id) {
		if at := m.any[i]; len(at) == 0 || at[len(at)-1] != o {
			m.any[i] = append(at, o)
		}
	}
	for i := range o.past {
		add(o.pastID(i))
	}
	add(o.id())
}

// byAnyName finds resources by every name they have had.
func (m *resMap) byAnyName() map[string][]*Object {
	if m.anyNames != nil {
		return m.anyNames
	}
	m.anyNames = make(map[string][]*Object, len(m.list))
	for _, o := range m.list {
		add := func(name string) {
			if at := m.anyNames[name]; len(at) == 0 || at[len(at)-1] != o {
				m.anyNames[name] = append(at, o)
			}
		}
		for _, p := range o.past {
			add(p.name)
		}
		add(o.Name())
	}
	return m.anyNames
}

func (m *resMap) append(o *Object) error {
	i := o.id()
	if first := m.byCurrent()[i]; first != nil {
		return fmt.Errorf("may not add resource with an already registered id: %s%s", i, first.from())
	}
	m.current[i] = o
	if m.any != nil {
		m.indexAny(o)
	}
	m.names, m.anyNames, m.held = nil, nil, nil
	m.list = append(m.list, o)
	return nil
}

func (m *resMap) appendAll(list []*Object) error {
	for _, o := range list {
		if err := m.append(o); err != nil {
			return err
		}
	}
	return nil
}

// absorb adds what a generator made: new, or merged into or put in place of what is there.
func (m *resMap) absorb(o *Object) error {
	i := o.id()
	matches := m.byAny(i)
	switch len(matches) {
	case 0:
		if o.behavior == "merge" || o.behavior == "replace" {
			return fmt.Errorf("id %s does not exist; cannot merge or replace: there is no such resource to change; "+
				"name one that a base makes, or leave out behavior", i)
		}
		m.touch(o)
		return m.append(o)
	case 1:
	default:
		return fmt.Errorf("found multiple objects that could accept merge of %s", i)
	}
	old := matches[0]
	switch o.behavior {
	case "replace":
		o.takeMetadata(old)
	case "merge":
		o.takeMetadata(old)
		o.mergeData(old, "data")
		o.mergeData(old, "binaryData")
		if o.origin = old.origin; o.origin != nil {
			if err := o.rewriteNotes(); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("id %s exists; behavior must be merge or replace", i)
	}
	if i := o.id(); i != old.id() {
		return fmt.Errorf("cannot find resource with id %s to replace: it is %s now", i, old.id())
	}
	*old = *o
	m.touch(old)
	m.renamed()
	return nil
}

// dropEmpty leaves out what patches deleted.
func (m *resMap) dropEmpty() {
	if !m.emptied {
		return
	}
	m.emptied = false
	kept := m.list[:0]
	for _, o := range m.list {
		if !o.root.isEmpty() {
			kept = append(kept, o)
		}
	}
	if len(kept) < len(m.list) {
		m.list = kept
		m.forget()
	}
}
