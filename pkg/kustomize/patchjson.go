package kustomize

import (
	"errors"
	"fmt"
	"slices"

	jsonpatch "github.com/evanphx/json-patch"
)

// patchJSON6902Transformer is the plugin of that name; an entry of patchesJson6902 is its config.
type patchJSON6902Transformer struct {
	Target *Selector `json:"target,omitempty"`
	Path   string    `json:"path,omitempty"`
	JSONOp string    `json:"jsonOp,omitempty"`
	ops    jsonpatch.Patch
}

func (p *patchJSON6902Transformer) prepare(t *target) (err error) {
	if p.Target == nil || p.Target.Name == "" {
		return errors.New("must specify the target name")
	}
	text := p.JSONOp
	switch {
	case p.Path == "" && text == "":
		return errors.New("empty file path and empty jsonOp")
	case p.Path != "" && text != "":
		return errors.New("must specify a file path or jsonOp, not both")
	case p.Path != "":
		data, err := t.loader.load(p.Path)
		if err != nil {
			return err
		}
		if text = string(data); text == "" {
			return fmt.Errorf("patch file '%s' empty seems to be empty", p.Path)
		}
	}
	if p.ops, err = decodeOps(text); err != nil {
		return fmt.Errorf("decoding %s: %w", text, err)
	}
	if len(p.ops) == 0 {
		return fmt.Errorf("patch appears to be empty; file=%s, JsonOp=%s", p.Path, text)
	}
	return nil
}

func (p *patchJSON6902Transformer) transform(m *resMap) error {
	selected, err := m.choose(*p.Target)
	if err != nil {
		return err
	}
	for _, o := range selected {
		m.touch(o)
		who, had := o.id(), len(o.past)
		if err := applyOps(o, p.ops); err != nil {
			return fmt.Errorf("to %s: %w", who, err)
		}
		if err := o.noteAgain(); err != nil {
			return fmt.Errorf("to %s: %w", who, err)
		}
		m.moved(o, who)
		m.lost(o, had)
	}
	return nil
}

// decodeOps reads a JSON patch, written as JSON or YAML.
func decodeOps(text string) (jsonpatch.Patch, error) {
	if text == "" {
		return nil, errors.New("empty json patch operations")
	}
	data := []byte(text)
	if text[0] != '[' {
		var err error
		if data, err = toJSON(data); err != nil {
			return nil, err
		}
	}
	return jsonpatch.DecodePatch(data)
}

// applyOps runs a JSON patch. In kustomize a resource with a past has annotations that say so: patches may add to them, and
// take origins away. Whatever else is noted there stays.
func applyOps(o *Object, ops jsonpatch.Patch) error {
	if err := o.root.checkKeys(true); err != nil {
		return err
	}
	paths, ok := fieldPaths(ops)
	root, away := o.root, (*aside)(nil)
	meta := root.get("metadata")
	noted := o.tracked() && !o.open && meta != nil && meta.kind == mapKind && slices.ContainsFunc(paths, reachesNotes)
	if noted {
		var err error
		if root, err = o.noted(); err != nil {
			return err
		}
	}
	if ok && !o.open {
		root, away = prune(root, paths, false)
	}
	doc, err := appendJSON(nil, root)
	if err != nil {
		return err
	}
	if doc, err = applyTo(doc, ops); err != nil {
		return err
	}
	if o.open {
		root, err = readJSON(doc)
	} else {
		root, err = fromJSON(doc)
	}
	if err != nil {
		return err
	}
	if root.kind != mapKind {
		return errors.New("the patch leaves no object")
	}
	notes := o.internalNotes()
	o.root = root
	if err := away.restore(root); err != nil {
		return err
	}
	o.annotate(notes)
	if noted {
		o.dropNotes()
	}
	return nil
}

// noteAgain puts the past into the annotations that a JSON patch has left. Metadata to put them into is made if there is none.
func (o *Object) noteAgain() error {
	meta := o.root.get("metadata")
	if meta == nil {
		meta = o.root.ensureMap("metadata")
	}
	if meta.kind == mapKind {
		o.plainStrings("annotations")
		return o.reread()
	}
	o.open = false
	o.forget()
	if meta.isNull() {
		return nil
	}
	return fmt.Errorf("the patch leaves metadata that is no mapping: %s", meta.describe())
}

// applyTo runs a JSON patch on a document. The library panics at a field of what an operation before has made null.
func applyTo(doc []byte, ops jsonpatch.Patch) (_ []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("an operation of the patch wants a field of what is null by then")
		}
	}()
	return ops.Apply(doc)
}
