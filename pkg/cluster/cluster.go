// Package cluster implements "skiff cluster": start, stop, look at and delete built-in clusters. It executes skiffd, which does the
// work, and keeps the calling user's kubeconfig; it never speaks to containers or networks itself.
package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// NewCommand makes the command and its subcommands.
func NewCommand(f *cli.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster SUBCOMMAND",
		Short: "Start, stop and delete built-in clusters",
		Long: `Built-in clusters run on this machine, each in a directory of its own: real containers, real pod addresses, Services and
DNS. Any command that needs one starts the default cluster by itself; these commands are for all else.`,
		Example: `
  # Start the default cluster, or do nothing if it runs
  skiff cluster start

  # Three nodes, beside the default cluster
  skiff cluster start dev --nodes=3

  # Stop it; its data stay for the next start
  skiff cluster stop dev

  # Remove it without a trace
  skiff cluster delete dev`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newStart(f), newStop(f), newDelete(f), newStatus(f), newList(f))
	return cmd
}

// target is the cluster that a command is about.
type target struct {
	name, dataDir string
}

func (t *target) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.dataDir, "data-dir", "", "Directory of the cluster; by default a folder of its name below $SKIFF_HOME, /var/lib/skiff or ~/.local/share/skiff.")
}

func (t *target) parse(args []string) {
	t.name = DefaultName
	if len(args) > 0 {
		t.name = args[0]
	}
}

// dir is the cluster's directory; with mustExist it has to hold a cluster.
func (t *target) dir(mustExist bool) (string, error) {
	if runtime.GOOS != "linux" {
		return "", fmt.Errorf("built-in clusters run on Linux alone; this is %s: point a kubeconfig at a cluster instead", runtime.GOOS)
	}
	dir, err := dirOf(t.name, t.dataDir)
	if err != nil || !mustExist {
		return dir, err
	}
	if _, err := os.Stat(filepath.Join(dir, "cluster.json")); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no cluster %q in %s: \"skiff cluster list\" shows those there are, \"skiff cluster start %s\" makes it", t.name, dir, t.name)
	} else if err != nil {
		return "", fmt.Errorf("look for cluster %q: %w", t.name, err)
	}
	return dir, nil
}

// program finds skiffd.
func program(f *cli.Factory) (string, error) {
	if f.Program == nil {
		return "", errors.New("this build carries no orchestrator: build with \"make build\", or point a kubeconfig at a cluster")
	}
	return f.Program("skiffd")
}
