// Package edit implements "kustomize edit": change the kustomization file of the current directory. A file here is a
// subcommand, named for it: it parses arguments and tells; kustfile decides what the file becomes.
package edit

import (
	"log"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

// editor is what every subcommand is made with.
type editor struct {
	shell.IOStreams
	name   string
	remote kustomize.Options
	render func() ([]byte, error)
}

// here is where edits happen.
const here = "."

// NewCommand makes the command. name is how the program is called, for examples; remote has what fetches; render builds the
// current directory, to tell whether a fix changed what comes out.
func NewCommand(streams shell.IOStreams, name string, remote kustomize.Options, render func() ([]byte, error)) *cobra.Command {
	e := editor{streams, name, remote, render}
	return e.family("edit", "Change a kustomization file", "set namesuffix -- -canary",
		e.family("add", "Add to a field of the kustomization file", "add resource deployment.yaml",
			e.addAnnotation(), e.addBase(), e.addBuildMetadata(), e.addComponent(), e.addConfigMap(), e.addGenerator(),
			e.addLabel(), e.addPatch(), e.addResource(), e.addSecret(), e.addTransformer()),
		e.family("set", "Set a field of the kustomization file", "set image nginx:1.29",
			e.setAnnotation(), e.setBuildMetadata(), e.setConfigMap(), e.setImage(), e.setLabel(), e.setNamePrefix(),
			e.setNamespace(), e.setNameSuffix(), e.setReplicas(), e.setSecret()),
		e.family("remove", "Remove from a field of the kustomization file", "remove resource 'old-*.yaml'",
			e.removeAnnotation(), e.removeBuildMetadata(), e.removeConfigMap(), e.removeLabel(), e.removePatch(),
			e.removeResource(), e.removeSecret(), e.removeTransformer()),
		e.fix(),
		e.listBuiltinPlugin(),
	)
}

// family is a command that only has subcommands.
func (e editor) family(use, short, example string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Example: e.example(example)}
	cmd.AddCommand(subs...)
	return cmd
}

func (e editor) example(lines ...string) string {
	text := ""
	for i, line := range lines {
		if i > 0 {
			text += "\n"
		}
		text += "  " + e.name + " edit " + line
	}
	return text
}

// command is a subcommand whose arguments do all.
func (e editor) command(use, short, example string, run func(args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Example: e.example(example),
		RunE: func(_ *cobra.Command, args []string) error { return run(args) },
	}
}

// warn tells what did not stop an edit, with the time, as kustomize does.
func (e editor) warn(line string) { log.New(e.ErrOut, "", log.LstdFlags).Print(line) }

// root tells whether a path may be another kustomization of the current directory's.
func (e editor) root(path string) error {
	return kustomize.CheckRoot(kustomize.Disk(), here, path, e.remote)
}

// change edits the file of the current directory.
func change(with func(f *kustfile.File) error) error { return kustfile.Edit(here, with) }
