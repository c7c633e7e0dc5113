// Package printers writes objects in every form of -o: json, yaml, kyaml, name, jsonpath, go-template, custom-columns, and
// tables for machines and for people. It knows no kind and no server, and decides nothing but form.
package printers

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
)

// Printer writes one object after the other to w.
type Printer interface {
	Print(obj runtime.Object, w io.Writer) error
}

// Func is a Printer made of a function.
type Func func(obj runtime.Object, w io.Writer) error

// Print calls f.
func (f Func) Print(obj runtime.Object, w io.Writer) error { return f(obj, w) }

// Options are the flags of -o and what belongs to them.
type Options struct {
	Output            string
	Template          string
	AllowMissingKeys  bool
	ShowManagedFields bool
	NoHeaders         bool // custom-columns
	// Columns allows custom-columns and wide (get alone).
	Columns bool
	// Set tells whether --output was given.
	fs *pflag.FlagSet
}

var (
	objectFormats   = []string{"json", "yaml", "kyaml"}
	templateFormats = []string{"go-template", "go-template-file", "template", "templatefile"}
	pathFormats     = []string{"jsonpath", "jsonpath-as-json", "jsonpath-file"}
	columnFormats   = []string{"custom-columns", "custom-columns-file"}
)

// Formats lists what -o takes.
func (o *Options) Formats() []string {
	out := slices.Concat(objectFormats, []string{"name"}, templateFormats, pathFormats)
	if o.Columns {
		out = append(append(out, columnFormats...), "wide")
	}
	return out
}

// AddFlags declares -o, --template, --allow-missing-template-keys and --show-managed-fields.
func (o *Options) AddFlags(fs *pflag.FlagSet) {
	o.fs = fs
	fs.StringVarP(&o.Output, "output", "o", o.Output, "Form of the output, one of: "+strings.Join(o.Formats(), ", ")+".")
	fs.StringVar(&o.Template, "template", "", "Template, or the path of a file with it, for -o go-template, go-template-file and the jsonpath forms.")
	fs.BoolVar(&o.AllowMissingKeys, "allow-missing-template-keys", true, "Ignore fields that a template names and an object lacks. For go-template and jsonpath.")
	fs.BoolVar(&o.ShowManagedFields, "show-managed-fields", false, "Keep metadata.managedFields when printing json or yaml.")
}

// Given tells whether the user asked for a form, or a template that implies one.
func (o *Options) Given() bool { return o.Output != "" || o.Template != "" }

// Printer gives the printer that the flags ask for; operation ("created") is what messages say when they ask for none.
func (o *Options) Printer(operation string) (Printer, error) {
	format := o.Output
	if o.Template != "" && format == "" {
		format = "go-template"
	}
	switch format {
	case "":
		return namePrinter{operation: operation}, nil
	case "name":
		return namePrinter{}, nil
	case "json":
		return o.withoutManaged(Func(printJSON)), nil
	case "yaml":
		return o.withoutManaged(&yamlPrinter{}), nil
	case "kyaml":
		return o.withoutManaged(&kyamlPrinter{}), nil
	}
	name, value, has := strings.Cut(format, "=")
	if o.Template != "" {
		name, value, has = format, o.Template, true
	}
	switch {
	case slices.Contains(pathFormats, name):
		return o.jsonPath(name, value)
	case slices.Contains(templateFormats, name):
		return o.goTemplate(name, value)
	case o.Columns && slices.Contains(columnFormats, name):
		return o.customColumns(name, value)
	}
	_ = has
	return nil, o.unknown()
}

// unknown is the error of a form that does not exist.
func (o *Options) unknown() error {
	formats := o.Formats()
	slices.Sort(formats)
	return fmt.Errorf("unable to match a printer suitable for the output format %q, allowed formats are: %s", o.Output, strings.Join(formats, ","))
}

// templateText reads the template of a form ending in "file" from its file.
func templateText(format, value string, fromFile bool) (string, error) {
	if value == "" {
		return "", fmt.Errorf("template format specified but no template given")
	}
	if !fromFile {
		return value, nil
	}
	data, err := os.ReadFile(value)
	if err != nil {
		return "", fmt.Errorf("error reading --template %s, %v", value, err)
	}
	return string(data), nil
}
