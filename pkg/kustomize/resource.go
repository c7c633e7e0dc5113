package kustomize

import (
	"errors"
	"fmt"
	"strings"
)

// Object is one document of a build, with what kustomize needs to know of its past.
type Object struct {
	root *node
	// past are the identities before each rename, oldest first.
	past []id
	// prefixes and suffixes are those that were added, in order.
	prefixes, suffixes []string
	behavior           string
	generated          bool
	needsHash          bool
	// open holds for one whose annotations say all that kustomize notes there of its past, since they count in its hash.
	open     bool
	varNames []string
	// unplaced is how many names it came with that had no namespaces beside them.
	unplaced        int
	source          string
	origin          *origin
	transformations []*origin
}

// APIVersion, Kind, Name and Namespace identify the object.
func (o *Object) APIVersion() string { return o.root.get("apiVersion").word() }

// Kind is the object's kind.
func (o *Object) Kind() string { return o.root.get("kind").word() }

// Name is the object's name.
func (o *Object) Name() string { return o.root.at("metadata", "name").text() }

// Namespace is the object's namespace as written.
func (o *Object) Namespace() string { return o.root.at("metadata", "namespace").text() }

func (o *Object) gvk() gvk {
	g, v := splitAPIVersion(o.APIVersion())
	return gvk{g, v, o.Kind()}
}

// id reads the identity in one pass: it is what builds ask for most.
func (o *Object) id() id {
	var i id
	for at, key := range o.root.keys {
		switch v := o.root.items[at]; key {
		case "apiVersion":
			i.Group, i.Version = splitAPIVersion(v.word())
		case "kind":
			i.Kind = v.word()
		case "metadata":
			i.name, i.namespace = v.names()
		}
	}
	i.namespace = effectiveNamespace(i.gvk, i.namespace)
	return i
}

// names reads the name and the namespace in metadata.
func (n *node) names() (name, namespace string) {
	if n == nil || n.kind != mapKind {
		return "", ""
	}
	for at, key := range n.keys {
		switch key {
		case "name":
			name = n.items[at].text()
		case "namespace":
			namespace = n.items[at].text()
		}
	}
	return name, namespace
}

// orgID is the identity that the object came with.
func (o *Object) orgID() id {
	if len(o.past) == 0 {
		return o.id()
	}
	return o.pastID(0)
}

// pastID is an earlier identity. The group and version are always today's.
func (o *Object) pastID(i int) id {
	p := o.past[i]
	p.Group, p.Version = splitAPIVersion(o.APIVersion())
	return p
}

// remember keeps today's identity before it changes.
func (o *Object) remember(today id) {
	o.openNotes()
	if o.past == nil {
		o.past = make([]id, 0, pastRoom)
	}
	o.past = append(o.past, today)
	o.note(previousNames, today.name)
	o.note(previousNamespaces, today.namespace)
	o.note(previousKinds, today.Kind)
}

// openNotes makes the annotations that kustomize notes something in, at the end of the metadata and in place of whatever holds
// nothing, as text. It counts where others ask whether there are any, or where they stand. What is noted comes after.
func (o *Object) openNotes() {
	meta := o.root.get("metadata")
	if meta.isEmpty() {
		o.root.remove("metadata")
		meta = newMap()
		o.root.add("metadata", meta)
	}
	notes := meta.get("annotations")
	if notes != nil && len(notes.items) == 0 && !o.tracked() {
		meta.remove("annotations")
		notes = nil
	}
	if notes == nil && meta.kind == mapKind {
		meta.set("annotations", newMap())
	}
}

// rewrites is how often kustomize writes the annotations of a resource anew, however plain a build is.
const rewrites = 3

// foldAnnotations makes one mapping of annotations that come several times, and one value of a key in them that does: each
// rewrite of kustomize takes the first mapping away and sets its entries in the next. More than it rewrites stay, to be refused.
func (o *Object) foldAnnotations() {
	meta := o.root.get("metadata")
	notes := meta.get("annotations")
	if notes == nil || !meta.doubled() && !notes.doubled() {
		return
	}
	for range rewrites {
		entries := o.stringMap("annotations")
		meta.remove("annotations")
		if next := meta.get("annotations"); !next.isNull() && next.kind != mapKind {
			return
		}
		addStrings(meta, "annotations", entries)
	}
}

// pastRoom is for the renames of most objects: two prefixes, a namespace and a hash.
const pastRoom = 4

func (o *Object) setName(name string) { put(o.root.ensureMap("metadata"), "name", name) }

// put sets a text field that keeps its quotes; a new one gets them if it needs them.
func put(n *node, field, value string) {
	v := newAuto(value)
	if nonString(value) {
		v.style = doubleStyle
	}
	n.set(field, v)
}

func (o *Object) setNamespace(ns string) {
	meta := o.root.ensureMap("metadata")
	if ns == "" {
		meta.remove("namespace")
		return
	}
	put(meta, "namespace", ns)
}

func (o *Object) stringMap(field string) map[string]string {
	n := o.root.at("metadata", field)
	m := map[string]string{}
	switch {
	case n == nil:
	case n.kind == mapKind:
		for i, k := range n.keys {
			m[k] = n.items[i].value
		}
	case n.kind == seqKind:
		// kustomize takes the items for keys and values in turn.
		for i := 0; i+1 < len(n.items); i += 2 {
			m[n.items[i].value] = n.items[i+1].value
		}
	}
	return m
}

// tracked holds once kustomize would have noted something in the object's annotations.
func (o *Object) tracked() bool {
	return len(o.past) > 0 || len(o.prefixes) > 0 || len(o.suffixes) > 0 || o.generated || o.origin != nil
}

// historyMark stands in the annotations for what kustomize notes there, so that we see when a patch takes it away.
const historyMark = previousNames

// keepingHistory runs a change after which the object's past is forgotten if its annotations were replaced, as in kustomize. Then
// its past is what the new ones say, which may be another's.
func (o *Object) keepingHistory(change func() error) error {
	if o.open {
		return errors.Join(change(), o.reread())
	}
	tracked, mark := o.tracked(), newString("")
	if tracked {
		o.openNotes()
		if notes := o.root.at("metadata", "annotations"); notes != nil && notes.kind == mapKind {
			notes.set(historyMark, mark)
		}
	}
	if err := change(); err != nil {
		return err
	}
	notes := o.root.at("metadata", "annotations")
	if notes.get(historyMark) == mark {
		notes.remove(historyMark)
		return nil
	}
	if tracked {
		o.forget()
	}
	return o.recall()
}

// forget makes an object one without a past.
func (o *Object) forget() {
	o.past, o.prefixes, o.suffixes = nil, nil, nil
	o.behavior, o.generated, o.needsHash = "", false, false
	o.origin, o.transformations = nil, nil
}

// plainStrings makes a field of the metadata what kustomize makes of it when it reads it as a map of strings.
func (o *Object) plainStrings(field string) {
	entries := o.stringMap(field)
	meta := o.root.get("metadata")
	if meta == nil || meta.kind != mapKind {
		return
	}
	meta.remove(field)
	if _, blank := entries[""]; blank {
		// kustomize gives up at a key that is nothing, and drops its notes with all the others.
		meta.set(field, newMap())
		if field == "annotations" {
			o.open = false
			o.forget()
		}
		return
	}
	addStrings(meta, field, entries)
	if field == "annotations" && o.tracked() {
		o.openNotes()
	}
}

// objects splits parsed documents into resources: lists are taken apart, empty documents dropped.
func objectsOf(docs []*node) ([]*Object, error) {
	if len(docs) == 1 && docs[0].kind == mapKind {
		if k := docs[0].get("kind").text(); k == "List" || k == "ResourceList" {
			if items := docs[0].get("items"); items != nil {
				docs = items.items
			} else if docs[0].find("functionConfig") >= 0 {
				docs = nil
			}
		}
	}
	var out []*Object
	for len(docs) > 0 {
		n := docs[0]
		docs = docs[1:]
		if n.isEmpty() {
			continue
		}
		if err := checkObject(n); err != nil {
			return nil, err
		}
		if !strings.HasSuffix(n.get("kind").text(), "List") {
			out = append(out, &Object{root: n})
			continue
		}
		items, list, err := n.listed()
		if err != nil {
			return nil, err
		}
		if !list {
			out = append(out, &Object{root: n})
		}
		// The items come after what follows the list, as in kustomize.
		docs = append(docs[:len(docs):len(docs)], items...)
	}
	return out, nil
}

// listed gives the items of what is a list by its kind, by way of JSON. Without any field for items it is none, but
// everything in it must be readable, as in kustomize.
func (n *node) listed() (items []*node, list bool, err error) {
	kind := n.get("kind").text()
	for i, key := range n.keys {
		v := n.items[i]
		switch {
		case key != "items":
			err = v.checkRead()
		case v.isNull():
			list = true
		case v.kind != seqKind:
			err = fmt.Errorf("expected array in %s/items, but found %s", kind, v.describe())
		default:
			list = true
			if items, err = v.rewrittenItems(); err == nil && v.read() != nil {
				err = readAgain(items)
			}
		}
		if err != nil {
			return nil, false, fmt.Errorf("line %d: expand %s: %w", n.line, kind, err)
		}
	}
	return items, list, nil
}

func (n *node) describe() string {
	switch {
	case n == nil:
		return "nothing"
	case n.kind == mapKind:
		return "map[string]interface {}"
	case n.kind == seqKind:
		return "a list"
	default:
		return fmt.Sprintf("%q", n.value)
	}
}

func checkObject(n *node) error {
	if n.kind != mapKind {
		return fmt.Errorf("line %d: %s is no object: missing Resource metadata", n.line, n.describe())
	}
	kind, name := n.get("kind").text(), n.at("metadata", "name").text()
	if kind != "" && (name != "" || strings.HasSuffix(kind, "List")) {
		return nil
	}
	what := fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: %s, namespace: %s}}", n.get("apiVersion").text(), kind, name,
		n.at("metadata", "namespace").text())
	switch {
	case kind == "" && n.get("apiVersion").text() == "" && n.get("metadata").isEmpty():
		return fmt.Errorf("line %d: missing Resource metadata: the document has no apiVersion, kind and metadata", n.line)
	case kind == "":
		return fmt.Errorf("line %d: missing kind in object %s", n.line, what)
	}
	return fmt.Errorf("line %d: missing metadata.name in object %s", n.line, what)
}
