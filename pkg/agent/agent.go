// Package agent implements "skiff agent": run one more node of a cluster of this machine in the foreground. It executes skiffd and
// holds nothing of it.
package agent

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// NewCommand makes the command. Its flags are skiffd's, which reads them itself.
func NewCommand(f *cli.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "agent [flags]",
		Short: "Run one more node of a cluster in the foreground",
		Long: `Run one more node of a cluster of this machine in the foreground, until a signal ends it. The cluster's server must run.
--data-dir names the cluster's directory; without it the node joins the default cluster. "skiff agent --help" shows all flags.`,
		Example: `
  # A second node for the default cluster
  skiff agent --node=skiff-2`,
		DisableFlagParsing: true,
		RunE:               func(_ *cobra.Command, args []string) error { return f.Daemon("agent", args) },
	}
}
