package kustomize

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// kustomize notes in annotations what it needs to know of a resource's past. Here they exist on the way to a function and
// back alone; a function that drops them makes a resource without a past.
const (
	internalPrefix     = "internal.config.kubernetes.io/"
	previousKinds      = internalPrefix + "previousKinds"
	previousNames      = internalPrefix + "previousNames"
	previousNamespaces = internalPrefix + "previousNamespaces"
	addedPrefixes      = internalPrefix + "prefixes"
	addedSuffixes      = internalPrefix + "suffixes"
	generatorBehavior  = internalPrefix + "generatorBehavior"
	needsHashSuffix    = internalPrefix + "needsHashSuffix"
	nameChangeAllowed  = internalPrefix + "allowNameChange"
	kindChangeAllowed  = internalPrefix + "allowKindChange"
)

const enabled = "enabled"

// told gives a copy of the document as functions see it: with its past in annotations, which are all strings.
func (o *Object) told() (*node, error) {
	root, err := o.noted()
	if err != nil {
		return nil, err
	}
	if notes := root.at("metadata", "annotations"); notes != nil {
		for _, v := range notes.items {
			v.tag = strTag
		}
	}
	return root, nil
}

// noted gives a copy of the document with its past in annotations.
func (o *Object) noted() (*node, error) {
	root := o.root.copy()
	notes := root.ensureMap("metadata").ensureMap("annotations")
	if notes.kind != mapKind {
		return nil, fmt.Errorf("annotations of %s are no mapping", o.id())
	}
	note := func(key string, values ...string) {
		// What was nothing leaves no note.
		if values = slices.DeleteFunc(values, func(v string) bool { return v == "" }); len(values) > 0 {
			notes.set(key, newString(strings.Join(values, ",")))
		}
	}
	var kinds, names, namespaces []string
	for _, p := range o.past {
		kinds, names, namespaces = append(kinds, p.Kind), append(names, p.name), append(namespaces, p.namespace)
	}
	note(previousKinds, kinds...)
	note(previousNames, names...)
	note(previousNamespaces, namespaces...)
	note(addedPrefixes, slices.Clone(o.prefixes)...)
	note(addedSuffixes, slices.Clone(o.suffixes)...)
	if o.generated {
		note(generatorBehavior, or(o.behavior, "unspecified"))
	}
	if o.needsHash {
		note(needsHashSuffix, enabled)
	}
	if err := o.reveal(notes, true, true); err != nil {
		return nil, err
	}
	if len(notes.items) == 0 {
		root.get("metadata").remove("annotations")
	}
	return root, nil
}

// lookup finds a value of the document, or of its past, as replacements and vars do.
func (o *Object) lookup(path []string) (_ *node, err error) {
	root := o.root
	if o.tracked() && reachesNotes(path) {
		if root, err = o.noted(); err != nil {
			return nil, err
		}
	}
	return root.lookup(path)
}

var errNotes = errors.New("number of previous names, number of previous namespaces, number of previous kinds not equal")

// notes is how many of a kind kustomize reads where it has noted one: commas part them.
func notes(value string) int {
	if value == "" {
		return 0
	}
	return 1 + strings.Count(value, ",")
}

// checkNotes refuses a resource with notes that do not fit together: it came with some notes of a past, and was renamed since,
// or it had no kind or name in between, which leaves no note, or one with a comma.
func (o *Object) checkNotes() error {
	if o.open {
		return o.checkOpenNotes()
	}
	kinds, names, namespaces := 0, 0, 0
	for i, p := range o.past {
		kinds, names = kinds+notes(p.Kind), names+notes(p.name)
		if i >= o.unplaced {
			namespaces += notes(p.namespace)
		}
	}
	if names > 0 && (max(kinds, 1) != names || max(namespaces, 1) != names) {
		return fmt.Errorf("%s: %w", o.id(), errNotes)
	}
	return nil
}

// checkOpenNotes does so where they stand in the annotations.
func (o *Object) checkOpenNotes() error {
	noted := o.stringMap("annotations")
	names, ok := noted[previousNames]
	if n := strings.Count(names, ","); ok && (strings.Count(noted[previousNamespaces], ",") != n || strings.Count(noted[previousKinds], ",") != n) {
		return fmt.Errorf("%s: %w", o.id(), errNotes)
	}
	return nil
}

func orBlank(list []string) []string {
	if list == nil {
		return []string{""}
	}
	return list
}

// recall takes the notes out of a document that comes back.
func (o *Object) recall() error {
	notes := o.root.at("metadata", "annotations")
	if notes == nil || notes.kind != mapKind || !slices.ContainsFunc(notes.keys, isNote) {
		return nil
	}
	take := func(key string) []string {
		v := notes.get(key)
		if v == nil {
			return nil
		}
		if !o.open {
			notes.remove(key)
		}
		return strings.Split(v.value, ",")
	}
	kinds, names, namespaces := take(previousKinds), take(previousNames), take(previousNamespaces)
	// Names say whether there is a past at all. A note that is missing is one that is empty, as in kustomize.
	if names == nil {
		kinds, namespaces = nil, nil
	} else {
		if namespaces == nil {
			o.unplaced = len(names)
		}
		kinds, namespaces = orBlank(kinds), orBlank(namespaces)
	}
	if len(kinds) != len(names) || len(names) != len(namespaces) {
		return errNotes
	}
	for i, name := range names {
		g := o.gvk()
		g.Kind = kinds[i]
		o.past = append(o.past, id{g, name, effectiveNamespace(g, namespaces[i])})
	}
	o.prefixes, o.suffixes = take(addedPrefixes), take(addedSuffixes)
	if v := take(generatorBehavior); v != nil {
		o.generated, o.behavior = true, knownBehavior(v[0])
	}
	o.needsHash = strings.Join(take(needsHashSuffix), ",") == enabled
	o.recallOrigin(notes)
	return nil
}

// dropNotes takes the notes out of a document that the object's past is known of. Origins are what the document says.
func (o *Object) dropNotes() {
	o.origin, o.transformations = nil, nil
	notes := o.root.at("metadata", "annotations")
	if notes == nil || notes.kind != mapKind {
		return
	}
	for _, key := range []string{previousKinds, previousNames, previousNamespaces, addedPrefixes, addedSuffixes, generatorBehavior, needsHashSuffix} {
		notes.remove(key)
	}
	o.recallOrigin(notes)
}

// reachesNotes holds if a path leads to a note of the past, or to what holds them. A step may stand for any field.
func reachesNotes(path []string) bool {
	for i, home := range [...]string{"metadata", "annotations"} {
		switch {
		case i == len(path):
			return true
		case path[i] != home && path[i] != "*":
			return false
		}
	}
	return len(path) == 2 || path[2] == "*" || isNote(path[2])
}

// asksForHash holds for a document that says itself that its name is to get a hash of its content.
func (o *Object) asksForHash() bool {
	return o.root.at("metadata", "annotations", needsHashSuffix).word() == enabled
}

// note adds to what the annotations of an open object say of its past.
func (o *Object) note(key, value string) {
	if !o.open || value == "" {
		return
	}
	meta := o.root.get("metadata")
	if old := meta.get("annotations"); old != nil && len(old.items) == 0 {
		meta.remove("annotations")
	}
	o.openNotes()
	notes := o.root.at("metadata", "annotations")
	if notes == nil || notes.kind != mapKind {
		return
	}
	if old := notes.get(key); old != nil {
		value = old.value + "," + value
	}
	v := newScalar(strTag, value)
	v.style = singleStyle
	notes.set(key, v)
}

// changingNotes runs a change that may be one of the notes: afterwards the past is what they say.
func (o *Object) changingNotes(change func() error) error {
	if o.tracked() && !o.open {
		root, err := o.noted()
		if err != nil {
			return err
		}
		o.root = root
	}
	if err := change(); err != nil {
		return err
	}
	return o.recallAnew()
}

// reread takes the past of an open object from its annotations, after a change that may have been one of them.
func (o *Object) reread() error {
	if !o.open || o.root.isEmpty() {
		return nil
	}
	return o.recallAnew()
}

// recallAnew makes the past what the annotations say now.
func (o *Object) recallAnew() error {
	o.forget()
	o.unplaced = 0
	return o.recall()
}

// isPast holds for an annotation that says what a resource was, but not where it came from.
func isPast(annotation string) bool {
	return internalAnnotation(annotation) && annotation != originAnnotation && annotation != transformAnnotation
}

// closeNotes takes the notes out of the annotations: the object knows what they say.
func (o *Object) closeNotes() {
	if !o.open {
		return
	}
	o.open = false
	notes := o.root.at("metadata", "annotations")
	if notes == nil || notes.kind != mapKind {
		return
	}
	notes.dropInternal()
}

// dropInternal takes what kustomize noted out of annotations.
func (n *node) dropInternal() {
	for _, key := range slices.Clone(n.keys) {
		if internalAnnotation(key) {
			n.remove(key)
		}
	}
}

// internalNotes are the annotations that a JSON patch cannot take away.
func (o *Object) internalNotes() map[string]string {
	home := o.root.at("metadata", "annotations")
	if home == nil || !slices.ContainsFunc(home.keys, stays) {
		return nil
	}
	notes := o.stringMap("annotations")
	maps.DeleteFunc(notes, func(key, _ string) bool { return !stays(key) })
	return notes
}

// stays holds for annotations of kustomize's own, and the older names of some.
func stays(annotation string) bool {
	return strings.HasPrefix(annotation, internalPrefix) || slices.ContainsFunc(trackers[:], func(t tracker) bool { return t.before == annotation })
}

// annotate puts notes among the annotations, whatever these are now, if there is metadata to put them into.
func (o *Object) annotate(notes map[string]string) {
	if len(notes) == 0 {
		return
	}
	meta := o.root.get("metadata")
	if meta == nil {
		meta = o.root.ensureMap("metadata")
	}
	if meta.kind != mapKind {
		return
	}
	entries := o.stringMap("annotations")
	maps.Copy(entries, notes)
	meta.remove("annotations")
	addStrings(meta, "annotations", entries)
}

func isNote(annotation string) bool {
	return strings.HasPrefix(annotation, internalPrefix) || annotation == originAnnotation || annotation == transformAnnotation
}

// recallOrigin takes out the notes of what was at work. Ones that cannot be read say nothing.
func (o *Object) recallOrigin(notes *node) {
	if v := notes.get(originAnnotation); v != nil && yaml.Unmarshal([]byte(v.value), &o.origin) != nil {
		o.origin = nil
	}
	if v := notes.get(transformAnnotation); v != nil && yaml.Unmarshal([]byte(v.value), &o.transformations) != nil {
		o.transformations = nil
	}
	if o.open {
		return
	}
	notes.remove(originAnnotation)
	notes.remove(transformAnnotation)
	if len(notes.items) == 0 && !o.tracked() {
		o.root.get("metadata").remove("annotations")
	}
}

func knownBehavior(s string) string {
	switch s {
	case "merge", "replace", "create":
		return s
	}
	return ""
}
