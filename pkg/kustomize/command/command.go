// Package command implements "skiff kustomize": print the resources that a kustomization makes, edit its file, and what
// else kustomize does. A program called kustomize has the subcommands alone, one called kubectl only the build of a
// directory, and skiff has both. A file here is a subcommand: it parses flags and prints; the engine does the work.
package command

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/command/cfg"
	"github.com/kubeskiff/skiff/pkg/kustomize/command/openapi"
)

// tool is what every subcommand is made with.
type tool struct {
	shell.IOStreams
	name string // how the user calls it: "kustomize" or "skiff kustomize", for examples
}

// subcommands lists what kustomize can do, or gives the one subcommand of a name, so that a build need not make the others.
func (t tool) subcommands(name string) []*cobra.Command {
	type subcommand struct {
		name string
		make func(tool) *cobra.Command
	}
	wanted := []subcommand{
		{"build", newBuild},
		{"cfg", func(t tool) *cobra.Command { return cfg.NewCommand(t.IOStreams, t.name) }},
		{"completion", newCompletion},
		{"create", newCreate},
		{"diff", newDiff},
		{"edit", newEdit},
		{"explain", newExplain},
		{"localize", newLocalize},
		{"openapi", func(t tool) *cobra.Command { return openapi.NewCommand(t.IOStreams, t.name) }},
		{"schema", newSchema},
		{"version", newVersion},
	}
	if i := slices.IndexFunc(wanted, func(s subcommand) bool { return s.name == name }); i >= 0 {
		wanted = wanted[i : i+1]
	}
	var list []*cobra.Command
	for _, s := range wanted {
		list = append(list, s.make(t))
	}
	return list
}

// NewCommand is for a program of many commands. It has kubectl's grammar: the argument is a directory. Skiff adds kustomize's subcommands.
func NewCommand(streams shell.IOStreams, program string) *cobra.Command {
	o := &Options{IO: streams}
	cmd := &cobra.Command{
		Use:   "kustomize DIR",
		Short: "Build a kustomization target from a directory or URL",
		Long: `Print the resources that the kustomization.yaml of a directory makes. Without an argument it is the current directory's.

The same bytes come out as of kustomize ` + kustomize.Version + `.`,
		Example: "  # Build the current working directory\n  " + program + " kustomize\n\n" +
			"  # Build some shared configuration directory\n  " + program + " kustomize /home/config/production",
		RunE: o.run,
	}
	o.addFlags(cmd.Flags())
	addCompletions(cmd)
	if program == "skiff" {
		t := tool{streams, "skiff kustomize"}
		cmd.AddCommand(t.subcommands("")...)
		t.addTrace(cmd)
	}
	return cmd
}

// NewRoot is the grammar of a program called kustomize. It prints its errors itself, as kustomize does.
func NewRoot(streams shell.IOStreams) *cobra.Command { return newRoot(streams, "") }

// newRoot has all subcommands, or the one of a name.
func newRoot(streams shell.IOStreams, name string) *cobra.Command {
	root := &cobra.Command{
		Use: "kustomize", Short: "Manages declarative configuration of Kubernetes",
		Long: "Render the resources of directories that have a kustomization.yaml.",
	}
	t := tool{streams, "kustomize"}
	root.AddCommand(t.subcommands(name)...)
	t.addTrace(root)
	return root
}
