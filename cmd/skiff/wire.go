package main

import (
	"context"
	"iter"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/agent"
	"github.com/kubeskiff/skiff/pkg/attach"
	"github.com/kubeskiff/skiff/pkg/cli"
	builtin "github.com/kubeskiff/skiff/pkg/cluster"
	"github.com/kubeskiff/skiff/pkg/image"
	kustomize "github.com/kubeskiff/skiff/pkg/kustomize/command"
	"github.com/kubeskiff/skiff/pkg/server"
	"github.com/kubeskiff/skiff/pkg/service"
)

// wire gives the factory what only this program can: the built-in cluster and the kustomize engine.
func wire(f *cli.Factory) {
	f.Program = program
	f.Daemon = daemon
	f.Attach = attach.For(f)
	f.StartBuiltin = func(ctx context.Context, contextName string) (string, error) {
		return builtin.Ensure(ctx, f, contextName)
	}
	f.Kustomize = func(dir string) ([]byte, error) { return kustomize.Render(f.IO, dir) }
	f.RenderWatch = func(ctx context.Context, dir string) iter.Seq2[[]byte, error] {
		return kustomize.RenderWatch(ctx, f.IO, dir)
	}
}

// daemon puts skiffd in place of this program.
func daemon(subcommand string, args []string) error {
	path, err := program("skiffd")
	if err != nil {
		return err
	}
	root, err := builtin.DataRoot()
	if err != nil {
		return err
	}
	all := []string{subcommand, "--data-dir=" + filepath.Join(root, "clusters", builtin.DefaultName)}
	if subcommand == "server" {
		all = append(all, "--defaults="+filepath.Join(root, "config.yaml"))
	}
	return execute(path, append(all, args...))
}

// addOwn adds the commands that kubectl does not have. Called as kubectl the program leaves them out.
func addOwn(root *cobra.Command, f *cli.Factory) {
	root.AddGroup(&cobra.Group{ID: "builtin", Title: "Built-in Cluster Commands:"})
	for _, c := range []*cobra.Command{
		builtin.NewCommand(f),
		service.NewCommand(f),
		image.NewCommand(f),
		server.NewCommand(f),
		agent.NewCommand(f),
	} {
		c.GroupID = "builtin"
		root.AddCommand(c)
	}
}
