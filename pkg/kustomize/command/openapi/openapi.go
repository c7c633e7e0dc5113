// Package openapi implements "kustomize openapi": the schemas that merges go by, and those of a cluster.
package openapi

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
)

// NewCommand makes the command, which help does not list. name is how the program is called, for examples.
func NewCommand(streams shell.IOStreams, name string) *cobra.Command {
	cmd := &cobra.Command{
		Use: "openapi", Short: "The schemas that merges go by, and those of a cluster",
		Example: "  " + name + " openapi info", Hidden: true,
	}
	cmd.AddCommand(newInfo(streams, name), newFetch(streams, name))
	return cmd
}
