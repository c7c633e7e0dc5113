package edit

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

func (e editor) listBuiltinPlugin() *cobra.Command {
	return e.command("alpha-list-builtin-plugin", "[Alpha] List the kinds that generators and transformers know without a program",
		"alpha-list-builtin-plugin", func([]string) error {
			fmt.Fprint(e.Out, "Builtin plugins:\n\n")
			for _, kind := range kustomize.Builtins {
				fmt.Fprintf(e.Out, " * %s\n", kind)
			}
			return nil
		})
}
