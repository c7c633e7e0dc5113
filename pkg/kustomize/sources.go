package kustomize

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// change says where a touch's value stands and what asked for it. steps are the path of the field, places the same with
// numbers for items of lists.
func (t touch) change(o *Object, steps, places []string) Change {
	c := Change{By: t.by, Note: t.note, Value: plain(t.value)}
	if t.where == nil {
		return c
	}
	entry := []any{t.by}
	if t.entry >= 0 {
		c.By += fmt.Sprintf("[%d]", t.entry)
		entry = append(entry, t.entry)
	}
	if _, line, found := t.where.lines.follow(entry); found > 0 {
		c.Config, c.ConfigLine = t.where.path, line
	}
	switch {
	case t.file != "":
		c.File, c.Line = t.file, t.line
	case strings.HasPrefix(t.by, "patches"):
		c.File, c.Line = t.where.patchSource(t.by, t.entry).line(o, steps, places)
	case strings.HasSuffix(t.by, "Generator"):
		c.File, c.Line = t.where.source(entry, places)
	default:
		c.File, c.Line = c.Config, t.where.entryLine(entry, steps, c.ConfigLine)
	}
	return c
}

// entryLine finds the line in an entry that gives the value: that of a label or annotation under its name, or the one that
// such an entry has for it.
func (t *target) entryLine(entry []any, field []string, line int) int {
	keys := []any{"count", "newTag", "digest", "newName", "tagSuffix"}
	if len(field) > 0 {
		last := field[len(field)-1]
		keys = append([]any{last}, keys...)
		if path := append(slices.Clip(entry), "pairs", last); t.lines.has(path) {
			return t.lines.line(path...)
		}
	}
	for _, key := range keys {
		if path := append(slices.Clip(entry), key); t.lines.has(path) {
			return t.lines.line(path...)
		}
	}
	return line
}

// source says where a generator has a field from.
func (t *target) source(entry []any, field []string) (file string, line int) {
	in := func(path ...any) (string, int) {
		return t.path, t.lines.line(append(slices.Clip(entry), path...)...)
	}
	switch {
	case len(field) == 2 && strings.HasSuffix(strings.ToLower(field[0]), "data") && field[0] != "metadata":
		return t.dataSource(entry, field[1], in)
	case len(field) == 2 && field[0] == "metadata":
		return in(field[1])
	case len(field) == 3 && field[0] == "metadata":
		path := []any{"options", field[1], field[2]}
		if !t.lines.has(append(slices.Clip(entry), path...)) {
			return t.path, t.lines.line("generatorOptions", field[1], field[2])
		}
		return in(path...)
	case len(field) == 1 && field[0] == "immutable":
		return in("options", "immutable")
	case len(field) == 1 && field[0] == "type":
		return in("type")
	}
	return in()
}

func (t *target) generator(entry []any) *ConfigMapArgs {
	i, _ := entry[1].(int)
	if entry[0] == "secretGenerator" {
		return &t.k.SecretGenerator[i].ConfigMapArgs
	}
	return &t.k.ConfigMapGenerator[i]
}

func (t *target) dataSource(entry []any, key string, in func(...any) (string, int)) (string, int) {
	g := t.generator(entry)
	for i, literal := range g.Literals {
		if strings.HasPrefix(literal, key+"=") {
			return in("literals", i)
		}
	}
	for _, f := range g.Files {
		if k, file, err := fileSource(f); err == nil && k == key {
			return t.loader.join(file), 1
		}
	}
	for _, file := range g.Envs {
		data, err := t.loader.load(file)
		if err != nil {
			continue
		}
		for i, line := range bytes.Split(data, []byte("\n")) {
			if k, _, _ := strings.Cut(strings.TrimSpace(string(line)), "="); k == key {
				return t.loader.join(file), i + 1
			}
		}
	}
	return in()
}

// nameReferences adds to references what they refer to.
func nameReferences(all []*Object, explained []Explained) {
	byName := map[string][]string{}
	for _, o := range all {
		if len(o.past) > 0 {
			byName[o.Name()] = append(byName[o.Name()], o.Kind()+"/"+o.Name())
		}
	}
	for i := range explained {
		for j := range explained[i].Fields {
			for k := range explained[i].Fields[j].History {
				c := &explained[i].Fields[j].History[k]
				if name, ok := c.Value.(string); ok && c.By == byReference {
					c.Note = "to " + strings.Join(byName[name], " or ")
				}
			}
		}
	}
}
