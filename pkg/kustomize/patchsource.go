package kustomize

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// patchText is where a patch stands: a file, or a field of the kustomization with lines before it.
type patchText struct {
	file   string
	before int
	text   []byte
}

// patchSource gives the texts that an entry of a field of patches stands for. No entry means all of them, the last first.
func (t *target) patchSource(field string, entry int) patchTexts {
	var out patchTexts
	switch field {
	case "patches":
		out = append(out, t.patchOf(t.k.Patches[entry].Path, field, entry, "patch"))
	case "patchesJson6902":
		out = append(out, t.patchOf(t.k.PatchesJSON6902[entry].Path, field, entry, "patch"))
	default:
		for i, p := range slices.Backward(t.k.PatchesStrategicMerge) {
			if _, err := parseObjects([]byte(p)); err == nil {
				p = ""
			}
			out = append(out, t.patchOf(p, field, i))
		}
	}
	return out
}

// patchOf reads a patch from a path, or if there is none from the field itself.
func (t *target) patchOf(path string, field ...any) patchText {
	if path != "" {
		data, err := t.loader.load(path)
		if err != nil {
			data = nil
		}
		return patchText{file: t.loader.join(path), text: data}
	}
	n, _ := t.lines.at(field...)
	if n == nil || n.Kind != yaml.ScalarNode {
		return patchText{file: t.path}
	}
	p := patchText{file: t.path, before: n.Line - 1, text: []byte(n.Value)}
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		p.before++
	}
	return p
}

type patchTexts []patchText

// line finds the line that sets a field of an object. It is 0 where only the file is known.
func (p patchTexts) line(o *Object, steps, places []string) (file string, line int) {
	for _, text := range p {
		ops := newLines(text.text)
		if root := ops.root(); root != nil && root.Kind == yaml.SequenceNode {
			line = opLine(ops, places)
		} else {
			line = mergeLine(text.text, o, steps)
		}
		if line > 0 {
			return text.file, text.before + line
		}
	}
	if len(p) == 0 {
		return "", 0
	}
	return p[0].file, 0
}

// mergeLine finds the line of a strategic merge patch that sets a field.
func mergeLine(text []byte, o *Object, steps []string) int {
	docs, err := readDocuments(text)
	if err != nil {
		return 0
	}
	for _, doc := range docs {
		if len(docs) > 1 && !o.wasNamed(doc.at("metadata", "name").text(), gvk{Kind: doc.get("kind").text()}) {
			continue
		}
		for n := len(steps); n > 0; n-- {
			if at, err := doc.lookup(steps[:n]); err == nil && at != nil {
				return int(at.line)
			}
		}
	}
	return 0
}

// opLine finds the last operation of a JSON patch that sets a field, or something that holds it.
func opLine(ops *lines, field []string) int {
	if ops == nil {
		return 0
	}
	root := ops.root()
	if root == nil || root.Kind != yaml.SequenceNode {
		return 0
	}
	found := 0
	for i, op := range root.Content {
		path, _ := child(op, "path")
		if path == nil || !pointsTo(path.Value, field) {
			continue
		}
		found = op.Line
		if _, line := ops.at(i, "value"); line > 0 {
			found = line
		}
	}
	return found
}

// pointsTo tells whether a JSON pointer is of a field or of what holds it.
func pointsTo(pointer string, field []string) bool {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	if len(steps) > len(field) {
		return false
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for i, s := range steps {
		if unescape.Replace(s) != field[i] && (s != "-" || !isIndex(field[i])) {
			return false
		}
	}
	return true
}
