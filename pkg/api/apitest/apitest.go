// Package apitest reads the golden files of kinds and runs a kind's facets on what is in them. A file lies beside its kind,
// testdata/<kind>.txtar, with these parts:
//
//	input.yaml          an object as a user wrote it, with a status where the table needs one
//	defaulted.yaml      after Default
//	table.txt           its row, headers above
//	wide.txt            the same with -o wide
//	warnings.txt        what Warn says on create, if anything
//	reject/NAME.yaml    an object that Validate refuses on create
//	reject/NAME.txt     the errors
//	update/NAME.yaml    an object sent as an update of input.yaml
//	update/NAME.txt     the errors, or the generation it got
//	sub/SUB/NAME.yaml   an object sent as an update of input.yaml by way of its subresource SUB
//	sub/SUB/NAME.txt    the same of that
//
// Tests and oracles outside this module import it; the product does not.
package apitest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/api"
)

// File gives the path of a kind's golden file below the folder of the package api.
func File(dir string, k *api.Kind) string {
	group, _, _ := strings.Cut(k.GroupVersion.Group, ".")
	if group == "" {
		group = "core"
	}
	return filepath.Join(dir, group, "testdata", strings.ToLower(k.Kind)+".txtar")
}

// Run fills in every part of a golden file that follows from its inputs, and gives the file as it should be.
func Run(k *api.Kind, path string) (got, want []byte, err error) {
	want, err = os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	in := txtar.Parse(want)
	out := &txtar.Archive{Comment: in.Comment}
	input := Part(in, "input.yaml")
	if input == nil {
		return nil, nil, fmt.Errorf("%s has no input.yaml", path)
	}
	add := func(name, data string) {
		if data != "" {
			out.Files = append(out.Files, txtar.File{Name: name, Data: []byte(data)})
		}
	}
	add("input.yaml", string(input))
	for _, part := range []struct {
		name string
		make func(*api.Kind, []byte) (string, error)
	}{{"defaulted.yaml", Defaulted}, {"table.txt", Table(false)}, {"wide.txt", Table(true)}, {"warnings.txt", Warnings}} {
		data, err := part.make(k, input)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %s: %w", path, part.name, err)
		}
		add(part.name, data)
	}
	for _, f := range in.Files {
		name, ok := strings.CutSuffix(f.Name, ".yaml")
		var result string
		switch {
		case ok && strings.HasPrefix(f.Name, "reject/"):
			result, err = Create(k, f.Data)
		case ok && strings.HasPrefix(f.Name, "update/"):
			result, err = Update(k, "", input, f.Data)
		case ok && strings.HasPrefix(f.Name, "sub/"):
			result, err = Update(k, Subresource(f.Name), input, f.Data)
		case f.Name == "describe.txt":
			out.Files = append(out.Files, f)
			continue
		default:
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		add(f.Name, string(f.Data))
		add(name+".txt", result)
	}
	return txtar.Format(out), want, nil
}

// Part gives one file of an archive.
func Part(a *txtar.Archive, name string) []byte {
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func decode(k *api.Kind, data []byte) (api.Object, error) {
	o := k.New()
	if err := yaml.UnmarshalStrict(data, o); err != nil {
		return nil, err
	}
	o.GetObjectKind().SetGroupVersionKind(k.GVK())
	if k.Default != nil {
		k.Default(o)
	}
	return o, nil
}

// Defaulted gives the object after Default, as YAML.
func Defaulted(k *api.Kind, input []byte) (string, error) {
	o, err := decode(k, input)
	if err != nil {
		return "", err
	}
	data, err := yaml.Marshal(o)
	return string(data), err
}

// Table gives the object's row below the headers.
func Table(wide bool) func(*api.Kind, []byte) (string, error) {
	return func(k *api.Kind, input []byte) (string, error) {
		o, err := decode(k, input)
		if err != nil || k.Columns == nil {
			return "", err
		}
		cells := k.Columns.Cells(o)
		if len(cells) != len(k.Columns.Definitions) {
			return "", fmt.Errorf("%d cells for %d columns", len(cells), len(k.Columns.Definitions))
		}
		var heads, values []string
		for i, d := range k.Columns.Definitions {
			if d.Priority == 0 || wide {
				heads, values = append(heads, strings.ToUpper(d.Name)), append(values, fmt.Sprint(cells[i]))
			}
		}
		var b bytes.Buffer
		w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
		fmt.Fprintf(w, "%s\n%s\n", strings.Join(heads, "\t"), strings.Join(values, "\t"))
		return b.String(), w.Flush()
	}
}

// Warnings gives what Warn says of a create.
func Warnings(k *api.Kind, input []byte) (string, error) {
	o, err := decode(k, input)
	if err != nil || k.Warn == nil {
		return "", err
	}
	if k.Prepare != nil {
		k.Prepare(o, nil)
	}
	return lines(k.Warn(o, nil)), nil
}

// Create gives the errors of a create.
func Create(k *api.Kind, input []byte) (string, error) {
	o, err := decode(k, input)
	if err != nil {
		return "", err
	}
	if k.Prepare != nil {
		k.Prepare(o, nil)
	}
	return Errors(k.Validate(o, nil)), nil
}

// Subresource gives the SUB of sub/SUB/NAME.yaml.
func Subresource(name string) string {
	sub, _, _ := strings.Cut(strings.TrimPrefix(name, "sub/"), "/")
	return sub
}

// Created gives the object as it would be stored after a create, as YAML.
func Created(k *api.Kind, input []byte) (string, error) {
	o, err := decode(k, input)
	if err != nil {
		return "", err
	}
	if k.Prepare != nil {
		k.Prepare(o, nil)
	}
	return YAML(o)
}

// YAML writes an object as it would be stored; times of conditions, which are those of the clock, are left out.
func YAML(o any) (string, error) {
	data, err := yaml.Marshal(o)
	var kept []string
	for line := range strings.Lines(string(data)) {
		if !strings.Contains(line, "lastTransitionTime:") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, ""), err
}

// Update gives the errors of an update of input, or the generation. A subresource's name may be empty.
func Update(k *api.Kind, sub string, input, update []byte) (string, error) {
	errs, o, err := Updated(k, sub, input, update)
	if err != nil || errs != "" {
		return errs, err
	}
	return fmt.Sprintf("ok, generation %d\n", o.GetGeneration()), nil
}

// Updated gives the errors of an update, and what it would store.
func Updated(k *api.Kind, sub string, input, update []byte) (string, api.Object, error) {
	old, err := decode(k, input)
	if err != nil {
		return "", nil, err
	}
	o, err := decode(k, update)
	if err != nil {
		return "", nil, err
	}
	old.SetGeneration(1)
	old.SetResourceVersion("1")
	// What the server does to the metadata of an update.
	o.SetUID(old.GetUID())
	o.SetResourceVersion("1")
	o.SetGeneration(1)
	o.SetCreationTimestamp(old.GetCreationTimestamp())
	prepare, validate := k.Prepare, k.Validate
	if sub != "" {
		s := k.Subresources[sub]
		if s == nil {
			return "", nil, fmt.Errorf("%s has no subresource %s", k.Kind, sub)
		}
		prepare, validate = s.Prepare, s.Validate
	}
	if prepare != nil {
		prepare(o, old)
	}
	return Errors(validate(o, old)), o, nil
}

// Errors writes a list one to a line, in order and without duplicates, as the API's answer has them.
func Errors(errs field.ErrorList) string {
	var list []string
	for _, e := range errs {
		list = append(list, e.Error())
	}
	return lines(list)
}

func lines(list []string) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			b.WriteString(s + "\n")
		}
		seen[s] = true
	}
	return b.String()
}
