package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

func newExplain(t tool) *cobra.Command {
	o := &Options{IO: t.IOStreams}
	var format string
	cmd := &cobra.Command{
		Use:   "explain DIR [KIND/NAME[.field.path]]",
		Short: "Tell where each field of the output came from",
		Long: `For each field that a build prints, tell the file and line that it came from and everything that changed it, in order.

An object may be named as in the output or as before its name was changed. Fields are written as in replacements: items of
lists by a key, as in spec.template.spec.containers.[name=web].image.`,
		Example: "  # Everything\n  " + t.name + " explain overlays/production\n\n" +
			"  # Who set this?\n  " + t.name + " explain overlays/production Deployment/web.spec.replicas\n\n" +
			"  # For a program\n  " + t.name + " explain overlays/production Deployment/web -o json",
		SilenceUsage: true,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return errors.New("give a directory, and then KIND/NAME[.field.path] if one object or field is enough")
			}
			o.Dir = args[0]
			return o.explain(strings.Join(args[1:], ""), format)
		},
	}
	o.addBuildFlags(cmd.Flags())
	o.plugins.addExec(cmd.Flags())
	cmd.Flags().StringVarP(&format, "output", "o", "", "json or yaml, for programs.")
	return cmd
}

func (o *Options) explain(at, format string) error {
	if err := checkFormat(format); err != nil {
		return err
	}
	o.trace = kustomize.NewTrace()
	objects, err := o.build()
	if err != nil {
		return err
	}
	explained, err := o.trace.Explain(objects, at)
	if err != nil {
		return err
	}
	place := relative()
	for i := range explained {
		for j := range explained[i].Fields {
			for k := range explained[i].Fields[j].History {
				c := &explained[i].Fields[j].History[k]
				c.File, c.Config = place(c.File), place(c.Config)
			}
		}
	}
	if format != "" {
		return writeData(o.IO.Out, format, map[string]any{"objects": explained})
	}
	return writeExplained(o.IO.Out, explained, paintFor(o.IO.Out))
}

func checkFormat(format string) error {
	if format != "" && format != "json" && format != "yaml" {
		return fmt.Errorf("unknown output format %q: there are json and yaml", format)
	}
	return nil
}

func writeData(out io.Writer, format string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if format == "yaml" {
		if data, err = yaml.JSONToYAML(data); err != nil {
			return err
		}
		data = []byte(strings.TrimSuffix(string(data), "\n"))
	}
	_, err = fmt.Fprintf(out, "%s\n", data)
	return err
}

// relative shortens paths below the current directory.
func relative() func(string) string {
	here, err := os.Getwd()
	if err == nil {
		here, err = filepath.EvalSymlinks(here)
	}
	return func(path string) string {
		if err != nil || !filepath.IsAbs(path) {
			return path
		}
		if short, err := filepath.Rel(here, path); err == nil && len(short) < len(path) {
			return filepath.ToSlash(short)
		}
		return path
	}
}

// writeExplained prints an object as its fields, each with its value and where that came from; a field that was changed has
// a line for each of its values.
func writeExplained(out io.Writer, explained []kustomize.Explained, p paint) error {
	var b strings.Builder
	for i, e := range explained {
		if i > 0 {
			fmt.Fprintln(&b)
		}
		fmt.Fprintln(&b, p.bold(title(e.APIVersion, e.Kind, e.Namespace, e.Name)))
		var lines []explainedLine
		for _, f := range e.Fields {
			lines = append(lines, linesOf(f, p)...)
		}
		width := 0
		for _, l := range lines {
			if n := utf8.RuneCountInString(l.text); l.whence != "" && n <= maxColumn {
				width = max(width, n)
			}
		}
		for _, l := range lines {
			space := strings.Repeat(" ", max(2, width+2-utf8.RuneCountInString(l.text)))
			if l.whence == "" {
				space = ""
			}
			fmt.Fprintln(&b, l.colour(l.text)+space+p.faint(l.whence))
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// maxColumn is how far to the right the places may begin; a longer text pushes its own further.
const maxColumn = 64

// explainedLine is a value and where it came from.
type explainedLine struct {
	text, whence string
	colour       func(string) string
}

func linesOf(f kustomize.ExplainedField, p paint) []explainedLine {
	plain := func(s string) string { return s }
	head := "  " + f.Path + ": " + brief(f.Value)
	if len(f.History) == 1 {
		return []explainedLine{{head, "# " + whence(f.History[0]), plain}}
	}
	lines := []explainedLine{{head, "", p.green}}
	for _, c := range f.History {
		lines = append(lines, explainedLine{"    " + brief(c.Value), "# " + whence(c), plain})
	}
	return lines
}

func title(apiVersion, kind, namespace, name string) string {
	s := kind + "/" + name + " (" + apiVersion + ")"
	if namespace != "" {
		s += " in " + namespace
	}
	return s
}

// whence says what set a value, and where.
func whence(c kustomize.Change) string {
	var parts []string
	if c.File != "" {
		parts = append(parts, position(c.File, c.Line))
	}
	if !strings.HasPrefix(c.By, "resources") {
		parts = append(parts, c.By)
	}
	if c.Note != "" {
		parts = append(parts, c.Note)
	}
	if c.Config != "" && c.Config != c.File && !strings.HasPrefix(c.By, "resources") {
		parts = append(parts, "of "+position(c.Config, c.ConfigLine))
	}
	return strings.Join(parts, " ")
}

func position(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// wide is how much of a value is shown.
const wide = 60

// brief shows a value in one short line.
func brief(v any) string {
	s, ok := v.(string)
	if !ok || s == "" || strings.TrimSpace(s) != s || strings.ContainsAny(s, "\n\t") {
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v)
		}
		s = string(data)
	}
	if runes := []rune(s); len(runes) > wide {
		s = string(runes[:wide-1]) + "…"
	}
	return s
}
