package cfg

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Stream reads documents. A single List or ResourceList counts as what it holds.
func Stream(r io.Reader) ([]*Object, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	objects, parts, err := documents(string(data), "")
	if err != nil || parts != 1 || len(objects) != 1 {
		return objects, err
	}
	o := objects[0]
	items := field(o.root, "items")
	if k := o.kind(); k != "List" && k != "ResourceList" || items == nil && field(o.root, "functionConfig") == nil {
		return objects, nil
	}
	objects = nil
	if items != nil {
		for _, item := range items.Content {
			objects = append(objects, &Object{item, item})
		}
	}
	return objects, nil
}

// separator is a line between documents; only a comment may stand on it.
const separator = `\n---.*\n`

// documents reads the documents of a text, and counts its parts. path is that of the file, if it is one.
func documents(s, path string) (objects []*Object, parts int, err error) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	begin := 0
	var texts []string
	for _, at := range regexp.MustCompile(separator).FindAllStringIndex(s, -1) {
		if rest := strings.TrimSpace(s[at[0]+4 : at[1]]); rest != "" && rest[0] != '#' {
			return nil, 0, fmt.Errorf("invalid document separator: %s", strings.TrimSpace(s[at[0]:at[1]]))
		}
		texts = append(texts, s[begin:at[0]]+"\n")
		begin = at[1]
	}
	texts = append(texts, s[begin:])
	for _, t := range texts {
		var doc yaml.Node
		switch err := yaml.NewDecoder(strings.NewReader(t)).Decode(&doc); {
		case errors.Is(err, io.EOF):
			continue
		case err != nil:
			return nil, 0, fmt.Errorf("MalformedYAMLError: %w", err)
		case len(doc.Content) == 0 || doc.Content[0].Tag == "!!null":
			continue
		}
		o := &Object{&doc, doc.Content[0]}
		if o.root.Kind != yaml.MappingNode {
			return nil, 0, wrongKind(o.root, "MappingNode")
		}
		o.mark(path, len(objects))
		objects = append(objects, o)
	}
	return objects, len(texts), nil
}

// mark notes where an object was read. What an earlier reader noted under one name only gets the other too.
func (o *Object) mark(path string, index int) {
	for _, keys := range [][2]string{{oldPath, pathKey}, {oldIndex, indexKey}} {
		if was, is := o.annotation(keys[0]), o.annotation(keys[1]); was == "" && is != "" {
			o.annotate(keys[0], is)
		} else if is == "" && was != "" {
			o.annotate(keys[1], was)
		}
	}
	at := strconv.Itoa(index)
	o.annotate(oldIndex, at)
	if path != "" {
		o.annotate(oldPath, path)
	}
	o.annotate(indexKey, at)
	if path != "" {
		o.annotate(pathKey, path)
	}
}

// packageFile marks a directory as a package of its own.
const packageFile = "Krmfile"

// Package reads the YAML files below a directory, or one file. Packages in it are left out, unless whole.
func Package(path string, whole bool) ([]*Object, error) {
	abs, err := filepath.Abs(path)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return nil, fmt.Errorf("evalsymlink failure on '%s' : %w", path, err)
	}
	var out []*Object
	base, ignored := abs, ignore{}
	err = filepath.WalkDir(abs, func(at string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case at == abs && entry.IsDir():
			ignored, err = readIgnore(abs)
			return err
		case at == abs:
			base = filepath.Dir(abs)
		case entry.IsDir():
			if ignored.match(at, true) || !whole && exists(filepath.Join(at, packageFile)) {
				return filepath.SkipDir
			}
			return nil
		}
		if ext := filepath.Ext(at); ext != ".yaml" && ext != ".yml" || ignored.match(at, false) {
			return nil
		}
		data, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(base, at)
		if err != nil {
			return err
		}
		objects, _, err := documents(string(data), rel)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		out = append(out, objects...)
		return nil
	})
	return out, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Packages lists the directory of a package and, if asked, those in it.
func Packages(root string, below bool) ([]string, error) {
	out := []string{root}
	if !below {
		return out, nil
	}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if dir := filepath.Dir(path); err == nil && filepath.Base(path) == packageFile && dir != root {
			out = append(out, dir)
		}
		return err
	})
	return out, err
}
