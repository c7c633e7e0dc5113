// Package agent implements "skiff agent": run one more node of a cluster of this machine in the foreground. It executes skiffd and
// holds nothing of it.
package agent

import (
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// Options are everything that agent goes by.
type Options struct {
	Program func(name string) (string, error)
	// Execute puts a program in place of this one.
	Execute func(path string, args []string) error
	Root    func() (string, error)
	Args    []string
}

// NewCommand makes the command. execute puts a program in place of this one; root is where clusters live.
func NewCommand(f *cli.Factory, execute func(path string, args []string) error, root func() (string, error)) *cobra.Command {
	o := &Options{Program: f.Program, Execute: execute, Root: root}
	return &cobra.Command{
		Use:   "agent [flags]",
		Short: "Run one more node of a cluster in the foreground",
		Long: `Run one more node of a cluster of this machine in the foreground, until a signal ends it. The cluster's server must run.
--data-dir names the cluster's directory; without it the node joins the default cluster. "skiff agent --help" shows all flags.`,
		Example: `
  # A second node for the default cluster
  skiff agent --node=skiff-2`,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			o.Args = args
			return o.Run()
		},
	}
}

// Run executes skiffd.
func (o *Options) Run() error {
	if o.Program == nil {
		return errors.New("this build carries no orchestrator: build with \"make build\"")
	}
	path, err := o.Program("skiffd")
	if err != nil {
		return err
	}
	root, err := o.Root()
	if err != nil {
		return err
	}
	return o.Execute(path, append([]string{"agent", "--data-dir=" + filepath.Join(root, "clusters", "skiff")}, o.Args...))
}
