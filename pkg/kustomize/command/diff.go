package command

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize"
)

func newDiff(t tool) *cobra.Command {
	o := &Options{IO: t.IOStreams}
	var ref, format string
	cmd := &cobra.Command{
		Use:   "diff DIR1 (DIR2 | --ref GIT_REF)",
		Short: "Compare what two directories make, or one directory now and in git",
		Long: `Build twice and tell the objects and fields that differ. With --ref the old side is the directory as it was at a commit, branch or
tag; files are read out of git, the working tree stays as it is.

Items of lists are told apart by their merge keys, objects by kind, namespace and name, without the hash that a generator puts
behind it. The exit code is 0 if nothing differs, 1 if something does, 2 if there was an error.`,
		Example: "  # What production has that staging has not\n  " + t.name + " diff overlays/staging overlays/production\n\n" +
			"  # What this branch changes\n  " + t.name + " diff overlays/production --ref main\n\n" +
			"  # For a program\n  " + t.name + " diff overlays/production --ref HEAD~1 -o json",
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			differs, err := o.diff(args, ref, format)
			switch {
			case err != nil:
				return &shell.ExitError{Code: 2, Err: err}
			case differs:
				cmd.SilenceErrors = true
				return shell.ErrExit
			}
			return nil
		},
	}
	o.addBuildFlags(cmd.Flags())
	o.plugins.addExec(cmd.Flags())
	cmd.Flags().StringVar(&ref, "ref", "", "Compare with the directory at this commit, branch or tag.")
	cmd.Flags().StringVarP(&format, "output", "o", "", "json or yaml, for programs.")
	return cmd
}

func (o *Options) diff(args []string, ref, format string) (differs bool, err error) {
	if err := checkFormat(format); err != nil {
		return false, err
	}
	var old []*kustomize.Object
	switch {
	case len(args) == 2 && ref == "":
		old, err = o.buildFrom(kustomize.Disk(), args[0])
		args = args[1:]
	case len(args) == 1 && ref != "":
		old, err = o.buildAt(args[0], ref)
	default:
		err = errors.New("give two directories, or one and --ref")
	}
	if err != nil {
		return false, err
	}
	now, err := o.buildFrom(kustomize.Disk(), args[0])
	if err != nil {
		return false, err
	}
	list := kustomize.Diff(old, now)
	if format != "" {
		return len(list) > 0, writeData(o.IO.Out, format, map[string]any{"differences": append([]kustomize.Difference{}, list...)})
	}
	return len(list) > 0, writeDifferences(o.IO.Out, list, paintFor(o.IO.Out))
}

func (o *Options) buildFrom(fsys kustomize.FileSystem, dir string) ([]*kustomize.Object, error) {
	c := *o
	c.fs, c.Dir = fsys, dir
	return c.build()
}

func (o *Options) buildAt(dir, ref string) ([]*kustomize.Object, error) {
	tree, dir, err := openGitTree(dir, ref)
	if err != nil {
		return nil, err
	}
	objects, err := o.buildFrom(tree, dir)
	if err != nil {
		err = fmt.Errorf("at %s: %w", ref, err)
	}
	return objects, errors.Join(err, tree.Close())
}

// writeDifferences prints an object as its fields: "~" for a value that changed, "+" for what is new, "-" for what is gone.
func writeDifferences(out io.Writer, list []kustomize.Difference, p paint) error {
	var b strings.Builder
	for i, d := range list {
		if i > 0 {
			b.WriteByte('\n')
		}
		head := title(d.APIVersion, d.Kind, d.Namespace, d.Name)
		switch d.Change {
		case kustomize.Changed:
			fmt.Fprintln(&b, p.bold(head))
		case kustomize.Added:
			fmt.Fprintln(&b, p.green(head+": added"))
		case kustomize.Removed:
			fmt.Fprintln(&b, p.red(head+": removed"))
		}
		if err := writeFields(&b, d, p); err != nil {
			return err
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func writeFields(b *strings.Builder, d kustomize.Difference, p paint) error {
	switch d.Change {
	case kustomize.Added:
		return writeValue(b, "+ ", "", d.Object, p.green)
	case kustomize.Removed:
		return writeValue(b, "- ", "", d.Object, p.red)
	}
	for _, f := range d.Fields {
		var err error
		switch f.Change {
		case kustomize.Added:
			err = writeValue(b, "+ ", f.Path, f.To, p.green)
		case kustomize.Removed:
			err = writeValue(b, "- ", f.Path, f.From, p.red)
		case kustomize.Reordered:
			fmt.Fprintln(b, p.amber(fmt.Sprintf("~ %s: order %s -> %s", f.Path, f.From, f.To)))
		default:
			err = writeChange(b, f, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeValue prints a field with whatever is below it, as YAML.
func writeValue(b *strings.Builder, mark, path string, v any, colour func(string) string) error {
	data, err := yaml.Marshal(v)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	indent := ""
	switch {
	case path == "":
	case len(lines) == 1 && (!isTree(v) || lines[0] == "{}" || lines[0] == "[]"):
		lines[0] = path + ": " + lines[0]
	default:
		fmt.Fprintln(b, colour(mark+path+":"))
		indent = "  "
	}
	for _, line := range lines {
		fmt.Fprintln(b, colour(mark+indent+line))
	}
	return nil
}

func isTree(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// writeChange prints both values on one line, or texts of several lines as a diff of these.
func writeChange(b *strings.Builder, f kustomize.FieldDifference, p paint) error {
	from, okFrom := f.From.(string)
	to, okTo := f.To.(string)
	switch {
	case okFrom && okTo && strings.Contains(from+to, "\n"):
		fmt.Fprintln(b, p.amber("~ "+f.Path+":"))
		writeLines(b, kustomize.DiffLines(from, to), p)
		return nil
	case isTree(f.From) || isTree(f.To):
		if err := writeValue(b, "- ", f.Path, f.From, p.red); err != nil {
			return err
		}
		return writeValue(b, "+ ", f.Path, f.To, p.green)
	}
	fmt.Fprintln(b, p.amber("~ "+f.Path+": "+full(f.From)+" -> "+full(f.To)))
	return nil
}

// full shows a scalar so that a string is not taken for a number or a boolean.
func full(v any) string {
	data, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(string(data), "\n")
}

// around is how many equal lines are shown before and after those that differ.
const around = 2

func writeLines(b *strings.Builder, lines []kustomize.LineDifference, p paint) {
	near := make([]bool, len(lines))
	for i, l := range lines {
		for j := max(0, i-around); l.Change != "" && j <= min(len(lines)-1, i+around); j++ {
			near[j] = true
		}
	}
	for i, l := range lines {
		switch {
		case l.Change == kustomize.Added:
			fmt.Fprintln(b, p.green("  + "+l.Text))
		case l.Change == kustomize.Removed:
			fmt.Fprintln(b, p.red("  - "+l.Text))
		case near[i]:
			fmt.Fprintln(b, strings.TrimRight("    "+l.Text, " "))
		case i == 0 || near[i-1]:
			fmt.Fprintln(b, p.faint("    …"))
		}
	}
}
