package edit

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

const fixed = `
Fixed fields:
  patchesJson6902 -> patches
  patchesStrategicMerge -> patches
  commonLabels -> labels`

const varsLeft = "\n\nTo convert vars -> replacements, run the command `kustomize edit fix --vars`\n\n" +
	"WARNING: Converting vars to replacements will potentially overwrite many resource files \n" +
	"and the resulting files may not produce the same output when `kustomize build` is run. \n" +
	"We recommend doing this in a clean git repository where the change is easy to undo."

func (e editor) fix() *cobra.Command {
	var vars bool
	cmd := e.command("fix", "Move deprecated fields to where they belong", "fix", func([]string) error { return e.runFix(vars) })
	cmd.Flags().BoolVar(&vars, "vars", false, "turn vars into replacements too, which changes the files that mention them: commit first")
	return cmd
}

// runFix fixes, and tells when another output comes of it.
func (e editor) runFix(vars bool) error {
	before, _ := e.render()
	path, err := kustfile.Find(here)
	if err != nil {
		return err
	}
	f, err := kustfile.Read(path)
	if err != nil {
		return err
	}
	if err := f.Modernize(); err != nil {
		return err
	}
	text := fixed + varsLeft
	if vars {
		if err := f.ReplaceVars(); err != nil {
			return err
		}
		text = fixed + "\n  vars -> replacements"
	}
	fmt.Fprintln(e.Out, text)
	failed := f.Write()
	switch after, err := e.render(); {
	case err != nil:
		fmt.Fprintf(e.Out, "Warning: 'Fixed' kustomization now produces the error when running `kustomize build`: %v\n", err)
	case !bytes.Equal(before, after):
		fmt.Fprintf(e.Out, "Warning: 'Fixed' kustomization now produces different output when running `kustomize build`:\n...%s...\n", after)
	}
	return failed
}
