package kustfile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// order is that of the fields a file did not have before. bases and imageTags are never written.
var order = []string{
	"apiVersion", "kind", "metadata", "sortOptions", "resources", "bases", "namePrefix", "nameSuffix", "namespace", "crds", "commonLabels", "labels",
	"commonAnnotations", "patchesStrategicMerge", "patchesJson6902", "patches", "configMapGenerator", "secretGenerator", "helmCharts",
	"helmChartInflationGenerator", "helmGlobals", "generatorOptions", "vars", "images", "replacements", "replicas", "configurations", "generators",
	"transformers", "validators", "components", "openapi", "buildMetadata",
}

// section is a field of a file with the comments that belong to it.
type section struct {
	field, comment string
}

// layoutOf finds the fields of a file in their order. Comments before a field are its own; those inside one move before
// it. The last line counts only if it ends, and what follows the last field goes, as in kustomize.
func layoutOf(data []byte) []section {
	var sections []section
	comment := ""
	for line := range strings.Lines(string(data)) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		if blankOrComment(line) {
			comment += line
			continue
		}
		if field := fieldOf(line); field != "" {
			sections = append(sections, section{field, comment})
			comment = ""
		} else if len(sections) > 0 {
			sections[len(sections)-1].comment += comment
			comment = ""
		}
	}
	return sections
}

func blankOrComment(line string) bool {
	s := strings.TrimRight(strings.TrimLeft(line, " "), "\n")
	return s == "" || s[0] == '#'
}

// fieldOf names the field that begins on a line, whatever its case there.
func fieldOf(line string) string {
	key, _, ok := strings.Cut(line, ":")
	if !ok {
		return ""
	}
	i := slices.IndexFunc(order, func(name string) bool { return strings.EqualFold(name, key) })
	if i < 0 {
		return ""
	}
	return order[i]
}

// bytes lays the fields out: those the file had where they were, new ones behind them.
func (f *File) bytes() ([]byte, error) {
	fields, err := f.fields()
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, s := range f.layout {
		out = append(out, s.comment...)
		out = append(out, fields[s.field]...)
	}
	for _, name := range order {
		if !slices.ContainsFunc(f.layout, func(s section) bool { return s.field == name }) {
			out = append(out, fields[name]...)
		}
	}
	return out, nil
}

// fields writes each field alone. An empty one is left out.
func (f *File) fields() (map[string][]byte, error) {
	data, err := json.Marshal(f.Kustomization)
	if err != nil {
		return nil, err
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(data, &values); err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for name, value := range values {
		if out[name], err = yaml.Marshal(map[string]json.RawMessage{name: value}); err != nil {
			return nil, fmt.Errorf("write field %s: %w", name, err)
		}
	}
	return out, nil
}
