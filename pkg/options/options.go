// Package options implements "skiff options": the list of the flags that every command takes.
package options

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "options",
		Short: "Print the list of flags inherited by all commands",
		Long:  "Show the flags that every command takes.",
		Example: `
  skiff options`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(f.IO.Out, "The following options can be passed to any command:\n\n%s", cli.FlagsText(cmd.Root().PersistentFlags()))
			return err
		},
	}
}
