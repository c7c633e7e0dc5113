// Package cluster implements "skiff cluster": start, stop, look at and delete built-in clusters. It executes skiffd, which does the
// work, and keeps the calling user's kubeconfig; it never speaks to containers or networks itself.
package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// NewCommand makes the command and its subcommands.
func NewCommand(f *cli.Factory) *cobra.Command {
	cmd := cli.Family("cluster SUBCOMMAND", "Start, stop and delete built-in clusters",
		`Built-in clusters run on this machine, each in a directory of its own: real containers, real pod addresses, Services and
DNS. Any command that needs one starts the default cluster by itself; these commands are for all else.`,
		newStart(f), newStop(f), newDelete(f), newStatus(f), newList(f))
	cmd.Example = `
  # Start the default cluster, or do nothing if it runs
  skiff cluster start

  # Three nodes, beside the default cluster
  skiff cluster start dev --nodes=3

  # Stop it; its data stay for the next start
  skiff cluster stop dev

  # Remove it without a trace
  skiff cluster delete dev`
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

// validName is what names directories, links and contexts; looked at here too, before the name becomes a path.
var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// dir is the cluster's directory; with mustExist it has to hold a cluster.
func (t *target) dir(mustExist bool) (string, error) {
	if runtime.GOOS != "linux" {
		return "", fmt.Errorf("built-in clusters run on Linux alone; this is %s: point a kubeconfig at a cluster instead", runtime.GOOS)
	}
	if !validName.MatchString(t.name) {
		return "", fmt.Errorf("cluster name %q: use up to 32 lower-case letters, digits and '-', such as \"dev\"", t.name)
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
