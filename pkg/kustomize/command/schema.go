package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

func newSchema(t tool) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print a JSON schema of kustomization files",
		Long: `Print a JSON schema (draft 7) of kustomization files of both kinds, by which an editor completes, explains and checks them as you
type. Unknown fields are refused, deprecated ones marked.`,
		Example: "  # For the YAML language server: in the first line of a kustomization.yaml\n" +
			"  " + t.name + " schema > kustomization.schema.json\n" +
			"  # yaml-language-server: $schema=./kustomization.schema.json",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			schema, err := kustomize.Schema()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(t.Out, "%s\n", schema)
			return err
		},
	}
}
