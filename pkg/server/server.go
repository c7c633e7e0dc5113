// Package server implements "skiff server": run a control plane and its first node in the foreground, for service managers and
// for those who like to watch. It executes skiffd and holds nothing of it.
package server

import (
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// Options are everything that server goes by.
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
	defaults := []string{"server", "--data-dir=" + filepath.Join(root, "clusters", "skiff"), "--defaults=" + filepath.Join(root, "config.yaml")}
	return o.Execute(path, append(defaults, o.Args...))
}
