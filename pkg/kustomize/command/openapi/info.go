package openapi

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
)

// info says which Kubernetes the schemas are of.
const info = "{title:Kubernetes,version:v1.21.2}"

func newInfo(streams shell.IOStreams, name string) *cobra.Command {
	return &cobra.Command{
		Use: "info", Short: "Print which Kubernetes the schemas are of", Example: "  " + name + " openapi info",
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(streams.Out, info)
			return err
		},
	}
}
