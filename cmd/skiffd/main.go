// Command skiffd is skiff's control plane and node agent. People do not call it: `skiff cluster start`, `skiff server` and
// `skiff agent` do, and so does any client command that needs the built-in cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/orchestrator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newCommand().ExecuteContext(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use: "skiffd", Short: "The control plane and node agent of skiff",
		SilenceUsage: true, SilenceErrors: true, Version: cli.Version,
		// People read this help by way of "skiff server" and "skiff agent".
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: "skiff"},
	}
	root.AddCommand(serverCommand(), agentCommand(), stopCommand(), deleteCommand(), checkCommand())
	return root
}

// flags are what the subcommands share.
type flags struct {
	dataDir, defaults string
	readyFD           int
}

func (f *flags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.dataDir, "data-dir", "", "the cluster's directory (required)")
	_ = c.MarkFlagRequired("data-dir")
}

func (f *flags) addReady(c *cobra.Command) {
	c.Flags().IntVar(&f.readyFD, "ready-fd", 0, "file descriptor on which to report the start")
	_ = c.Flags().MarkHidden("ready-fd")
}

func (f *flags) reporter() *orchestrator.Reporter {
	if f.readyFD == 0 {
		return nil
	}
	syscall.CloseOnExec(f.readyFD)
	return orchestrator.NewReporter(os.NewFile(uintptr(f.readyFD), "ready"))
}

// reported tells the reporter of an error that ended the start; after the start it only returns it.
func reported(r *orchestrator.Reporter, err error) error {
	switch {
	case err == nil:
	case r != nil && errors.Is(err, orchestrator.ErrRunning):
		r.Running()
		return nil
	default:
		r.Fail(err)
	}
	return err
}

func serverCommand() *cobra.Command {
	var f flags
	var name string
	over := orchestrator.DefaultConfig("")
	var noEgress bool
	c := &cobra.Command{
		Use: "server", Short: "Run a control plane and its first node in the foreground", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			report := f.reporter()
			config, err := orchestrator.Resolve(f.dataDir, name, f.defaults)
			if err != nil {
				return reported(report, err)
			}
			changed := c.Flags().Changed
			override(&config, over, noEgress, changed)
			return reported(report, orchestrator.RunServer(c.Context(), config, report))
		},
	}
	f.add(c)
	f.addReady(c)
	fs := c.Flags()
	fs.StringVar(&name, "name", "skiff", "name of the cluster")
	fs.StringVar(&f.defaults, "defaults", "", "YAML file with settings for new clusters")
	fs.IntVar(&over.Nodes, "nodes", over.Nodes, "number of nodes")
	fs.StringVar(&over.Runtime, "runtime", over.Runtime, "what runs pods: oci (real containers) or hollow (pods only pretend)")
	fs.StringVar(&over.OCIRuntime, "oci-runtime", "", "program that runs containers in place of the built-in one: runc, runsc …")
	fs.IntVar(&over.APIPort, "api-port", 0, "port of the API server on 127.0.0.1 (0: 6443, or another if that is taken)")
	fs.BoolVar(&noEgress, "no-egress", false, "give pods no way out to other networks")
	fs.DurationVar((*time.Duration)(&over.NodeMonitorGracePeriod), "node-monitor-grace-period", time.Duration(over.NodeMonitorGracePeriod), "how long a node may be silent before it counts as gone")
	return c
}

func override(config *orchestrator.Config, over orchestrator.Config, noEgress bool, changed func(string) bool) {
	for flag, set := range map[string]func(){
		"nodes":                     func() { config.Nodes = over.Nodes },
		"runtime":                   func() { config.Runtime = over.Runtime },
		"oci-runtime":               func() { config.OCIRuntime = over.OCIRuntime },
		"api-port":                  func() { config.APIPort = over.APIPort },
		"no-egress":                 func() { config.Egress = !noEgress },
		"node-monitor-grace-period": func() { config.NodeMonitorGracePeriod = over.NodeMonitorGracePeriod },
	} {
		if changed(flag) {
			set()
		}
	}
}

func agentCommand() *cobra.Command {
	var f flags
	var node string
	c := &cobra.Command{
		Use: "agent", Short: "Run one more node of a cluster in the foreground", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			report := f.reporter()
			return reported(report, orchestrator.RunAgent(c.Context(), f.dataDir, node, report))
		},
	}
	f.add(c)
	f.addReady(c)
	c.Flags().StringVar(&node, "node", "", "name of the node (default: the next free one)")
	return c
}

func stopCommand() *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use: "stop", Short: "Stop a cluster's processes and containers; its data stays", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return orchestrator.Stop(c.Context(), f.dataDir) },
	}
	f.add(c)
	return c
}

func deleteCommand() *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use: "delete", Short: "Stop a cluster and remove all that belongs to it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return orchestrator.Delete(c.Context(), f.dataDir) },
	}
	f.add(c)
	return c
}

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Say whether this machine can run real containers", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return orchestrator.Check("") },
	}
}
