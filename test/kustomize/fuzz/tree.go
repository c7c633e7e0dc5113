package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// root is where the files of a case lie in both engines' file systems.
const root = "/work"

// file is YAML documents, or plain text.
type file struct {
	docs []*value
	text string
	// ending and mark say how lines end, and whether the file begins with a byte order mark.
	crlf, mark bool
}

func (f *file) String() string {
	if f.docs == nil {
		return f.text
	}
	var b strings.Builder
	if f.mark {
		b.WriteString("\uFEFF")
	}
	for i, d := range f.docs {
		if i > 0 {
			b.WriteString("---\n")
		}
		b.WriteString(d.String())
	}
	if f.crlf {
		return strings.ReplaceAll(b.String(), "\n", "\r\n")
	}
	return b.String()
}

// tree is one case: files by their path below root, and the directory to build.
type tree struct {
	files map[string]*file
	dir   string
}

func (t *tree) paths() []string { return slices.Sorted(maps.Keys(t.files)) }

func (t *tree) rendered() map[string]string {
	out := map[string]string{}
	for name, f := range t.files {
		out[root+"/"+name] = f.String()
	}
	return out
}

func (t *tree) copy() *tree {
	c := &tree{files: map[string]*file{}, dir: t.dir}
	for name, f := range t.files {
		g := *f
		g.docs = nil
		for _, d := range f.docs {
			g.docs = append(g.docs, d.copy())
		}
		c.files[name] = &g
	}
	return c
}

// archive gives the case in the form of the golden files.
func (t *tree) archive(o outcome) *txtar.Archive {
	a := &txtar.Archive{Comment: []byte("build " + t.dir + "\n")}
	for _, name := range t.paths() {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(t.files[name].String())})
	}
	if o.err != nil {
		a.Files = append(a.Files, txtar.File{Name: "want.err", Data: []byte(o.err.Error() + "\n")})
	} else {
		a.Files = append(a.Files, txtar.File{Name: "want.yaml", Data: o.out})
	}
	return a
}
