package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
)

func newStop(f *cli.Factory) *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "stop [NAME]",
		Short: "Stop a cluster; its data stay",
		Long:  `Stop a cluster's containers, nodes and API server and take its network away. What the API server stored stays, and the next start goes on with it.`,
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.parse(args)
			dir, err := t.dir(true)
			if err != nil {
				return err
			}
			if err := runSkiffd(cmd.Context(), f, "stop", "--data-dir="+dir); err != nil {
				return fmt.Errorf("stop cluster %s: %w", t.name, err)
			}
			fmt.Fprintf(f.IO.Out, "cluster %s stopped\n", t.name)
			return nil
		},
	}
	t.addFlags(cmd)
	return cmd
}

func newDelete(f *cli.Factory) *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "delete [NAME]",
		Short: "Delete a cluster and all that belongs to it",
		Long:  `Stop a cluster and remove everything of it: containers, mounts, network, data, and its context in the kubeconfig.`,
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.parse(args)
			dir, err := t.dir(false)
			if err != nil {
				return err
			}
			if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
				_, err := t.dir(true)
				return err
			}
			if t.dataDir != "" && !ours(dir) {
				return fmt.Errorf("delete cluster %s: %s holds no cluster; nothing is removed", t.name, dir)
			}
			if err := runSkiffd(cmd.Context(), f, "delete", "--data-dir="+dir); err != nil {
				return fmt.Errorf("delete cluster %s: %w", t.name, err)
			}
			if err := removeContext(t.name); err != nil {
				return err
			}
			fmt.Fprintf(f.IO.Out, "cluster %s deleted\n", t.name)
			return nil
		},
	}
	t.addFlags(cmd)
	return cmd
}

// runSkiffd runs a short-lived subcommand of skiffd.
func runSkiffd(ctx context.Context, f *cli.Factory, args ...string) error {
	exe, err := program(f)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = f.IO.Out, &out
	if err := cmd.Run(); err != nil {
		if text := strings.TrimPrefix(strings.TrimSpace(out.String()), "error: "); text != "" {
			return errors.New(text)
		}
		return fmt.Errorf("run skiffd: %w", err)
	}
	return nil
}
