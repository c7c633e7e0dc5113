// Package server implements "skiff server": run a control plane and its first node in the foreground, for service managers and
// for those who like to watch. It executes skiffd and holds nothing of it.
package server

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// NewCommand makes the command. Its flags are skiffd's, which reads them itself.
func NewCommand(f *cli.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "server [flags]",
		Short: "Run a control plane and its first node in the foreground",
		Long: `Run a control plane and its first node in the foreground, until a signal ends it. "skiff cluster start" does the same in the
background. --data-dir says where its data are; without it they are those of the default cluster. "skiff server --help" shows all flags.`,
		Example: `
  # The default cluster, its log on this terminal
  skiff server

  # As a service, with data of its own
  skiff server --data-dir=/srv/skiff --name=lab --api-port=6444`,
		DisableFlagParsing: true,
		RunE:               func(_ *cobra.Command, args []string) error { return f.Daemon("server", args) },
	}
}
