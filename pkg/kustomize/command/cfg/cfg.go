// Package cfg implements "kustomize cfg": print, count and find the resources in files, and draw them as a tree. A file
// here is a subcommand; the work is done by kustomize/cfg.
package cfg

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize/cfg"
)

// reader is what every subcommand is made with.
type reader struct {
	shell.IOStreams
	name string
}

// NewCommand makes the command. name is how the program is called, for examples.
func NewCommand(streams shell.IOStreams, name string) *cobra.Command {
	r := reader{streams, name}
	cmd := &cobra.Command{Use: "cfg", Short: "Print, count, find and draw the resources in files"}
	cmd.AddCommand(r.cat(), r.count(), r.grep(), r.tree())
	return cmd
}

func (r reader) example(lines ...string) string {
	var out []string
	for _, line := range lines {
		out = append(out, "  "+r.name+" cfg "+line)
	}
	return strings.Join(out, "\n")
}

// stream reads standard input. After an error there, the usage would not help.
func (r reader) stream(cmd *cobra.Command) ([]*cfg.Object, error) {
	cmd.SilenceUsage = true
	return cfg.Stream(r.In)
}

// packages runs a step on a directory and the packages below it, each apart. With several, an error of one is printed in
// its place, as format says, and the others go on.
func packages(w io.Writer, root string, below bool, title, format string, step func(w io.Writer, objects []*cfg.Object) error) error {
	dirs, err := cfg.Packages(root, below)
	if err != nil {
		return err
	}
	for i, dir := range dirs {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if title != "" {
			fmt.Fprintf(w, title, dir)
		}
		objects, err := cfg.Package(dir, false)
		if err == nil {
			err = step(w, objects)
		}
		switch {
		case err != nil && !below:
			return err
		case err != nil:
			fmt.Fprintf(w, format, err, dir)
		}
	}
	return nil
}

// joined runs a step on packages and prints what comes of them as one stream of documents.
func joined(w io.Writer, root string, below bool, format string, step func(w io.Writer, objects []*cfg.Object) error) error {
	var all bytes.Buffer
	err := packages(&all, root, below, "", format, func(w io.Writer, objects []*cfg.Object) error {
		var out bytes.Buffer
		if err := step(&out, objects); err != nil || out.Len() == 0 {
			return err
		}
		_, err := fmt.Fprint(w, out.String(), "---")
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, strings.TrimSuffix(all.String(), "---"))
	return err
}
