package cfg

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tree says how objects are drawn as a tree: below their directories, or below their owners.
type Tree struct {
	Root   string
	Fields [][]string
	Graph  string // "owners", "directory", or "" for owners where there are any
}

// Write draws objects.
func (t *Tree) Write(w io.Writer, objects []*Object) error {
	owners := t.Graph == "owners"
	if t.Graph != "owners" && t.Graph != "directory" {
		owners = slices.ContainsFunc(objects, func(o *Object) bool { return field(o.meta(), "ownerReferences") != nil })
	}
	draw := t.directories
	if owners {
		draw = t.owners
	}
	root, err := draw(objects)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, root.text+"\n"+root.branches(""))
	return err
}

// branch is a line of a tree with what hangs on it.
type branch struct {
	text  string
	below []*branch
}

func (b *branch) add(text string) *branch {
	n := &branch{text: text}
	b.below = append(b.below, n)
	return n
}

func (b *branch) branches(indent string) string {
	var out strings.Builder
	for i, n := range b.below {
		edge, link := "├── ", "│   "
		if i == len(b.below)-1 {
			edge, link = "└── ", "    "
		}
		out.WriteString(indent + edge + strings.ReplaceAll(n.text, "\n", "\n"+indent+link) + "\n" + n.branches(indent+link))
	}
	return out.String()
}

// directories hangs each object on the directory of its file, and that on the nearest above it that has objects.
func (t *Tree) directories(objects []*Object) (*branch, error) {
	byDir := map[string][]*Object{}
	for _, o := range objects {
		if o.kind() != "" {
			dir := filepath.Dir(o.path())
			byDir[dir] = append(byDir[dir], o)
		}
	}
	root := &branch{text: t.Root}
	drawn := map[string]*branch{}
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		at, nearest := root, ""
		for above, b := range drawn {
			if strings.HasPrefix(dir, above) && len(above) > len(nearest) {
				at, nearest = b, above
			}
		}
		if dir != "." {
			at = at.add(t.dirName(dir))
		}
		drawn[dir] = at
		list := byDir[dir]
		slices.SortStableFunc(list, compareObjects)
		for _, o := range list {
			if _, err := t.draw(at, o, filepath.Base(o.path())); err != nil {
				return nil, err
			}
		}
	}
	return root, nil
}

func (t *Tree) dirName(dir string) string {
	if _, err := os.Stat(filepath.Join(t.Root, dir, packageFile)); !os.IsNotExist(err) {
		return "Pkg: " + filepath.Base(dir)
	}
	return filepath.Base(dir)
}

func compareObjects(a, b *Object) int {
	return cmp.Or(
		strings.Compare(filepath.Base(a.path()), filepath.Base(b.path())),
		strings.Compare(a.namespace(), b.namespace()), strings.Compare(a.name(), b.name()),
		strings.Compare(a.kind(), b.kind()), strings.Compare(a.apiVersion(), b.apiVersion()))
}

// draw adds an object with its fields. note is what stands before it.
func (t *Tree) draw(at *branch, o *Object, note string) (*branch, error) {
	name := o.name()
	if o.namespace() != "" {
		name = o.namespace() + "/" + name
	}
	b := at.add(fmt.Sprintf("[%s]  %s %s", note, o.kind(), name))
	return b, t.drawFields(b, o)
}

// owned is an object with those that name it as their owner.
type owned struct {
	*Object
	below []*owned
}

// owners hangs each object on its first owner.
func (t *Tree) owners(objects []*Object) (*branch, error) {
	known := map[string]*owned{}
	get := func(id string) *owned {
		if known[id] == nil {
			known[id] = &owned{}
		}
		return known[id]
	}
	top := &owned{}
	for _, o := range objects {
		owner := top
		if refs := field(o.meta(), "ownerReferences"); refs != nil && len(refs.Content) > 0 {
			ref := refs.Content[0]
			owner = get(fmt.Sprintf("%s %s/%s", text(field(ref, "kind")), o.namespace(), text(field(ref, "name"))))
		}
		me := get(fmt.Sprintf("%s %s/%s", o.kind(), o.namespace(), o.name()))
		me.Object = o
		owner.below = append(owner.below, me)
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if known[id].Object == nil {
			return nil, fmt.Errorf("owner '%s' not found in input, but found as an owner of input objects", id)
		}
	}
	root := &branch{text: "."}
	return root, t.drawOwned(root, top)
}

func (t *Tree) drawOwned(at *branch, o *owned) error {
	slices.SortStableFunc(o.below, func(a, b *owned) int { return compareObjects(a.Object, b.Object) })
	for _, n := range o.below {
		b, err := t.draw(at, n.Object, "Resource")
		if err == nil {
			err = t.drawOwned(b, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
