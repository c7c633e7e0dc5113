package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// startOptions are everything that start goes by.
type startOptions struct {
	target
	io      cli.IOStreams
	program func() (string, error)
	wait    time.Duration
	pass    []string // flags for skiffd server, as given
	quiet   bool
}

func newStart(f *cli.Factory) *cobra.Command {
	o := &startOptions{io: f.IO, program: func() (string, error) { return program(f) }}
	cmd := &cobra.Command{
		Use:   "start [NAME]",
		Short: "Start a cluster, making it if there is none",
		Long: `Start a cluster and wait until its nodes are ready and its DNS answers. A cluster that runs is left as it is. The kubeconfig
gets a context for it (skiff, or skiff-NAME), which becomes the current one.

What a new cluster is made with, later starts keep. Defaults for new clusters can be written to config.yaml in $SKIFF_HOME
(nodes, runtime, egress, mirrors of image registries).`,
		Example: `
  # The default cluster
  skiff cluster start

  # A hundred nodes whose pods only pretend to run; needs no root
  skiff cluster start big --runtime=hollow --nodes=100

  # Containers by gVisor instead of the built-in runtime
  skiff cluster start --oci-runtime=/usr/local/bin/runsc`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.parse(args)
			o.pass = passedFlags(cmd.Flags())
			return o.run(cmd.Context())
		},
	}
	o.addFlags(cmd)
	cmd.Flags().DurationVar(&o.wait, "wait", 2*time.Minute, "How long to wait for the cluster to be ready.")
	AddServerFlags(cmd.Flags())
	return cmd
}

// AddServerFlags declares the flags that are handed on to skiffd.
func AddServerFlags(fs *pflag.FlagSet) {
	fs.Int("nodes", 1, "Number of nodes.")
	fs.String("runtime", "oci", "What runs pods: oci (real containers; needs root) or hollow (pods only pretend to run).")
	fs.String("oci-runtime", "", "Program that runs containers in place of the built-in one, such as runc or runsc.")
	fs.Int("api-port", 0, "Port of the API server on 127.0.0.1; by default 6443, or another if that is taken.")
	fs.Bool("no-egress", false, "Give pods no way out to other networks.")
	fs.Duration("node-monitor-grace-period", 40*time.Second, "How long a node may be silent before its pods are moved.")
}

// passedFlags gives the flags that the user set and that are skiffd's.
func passedFlags(fs *pflag.FlagSet) []string {
	known := pflag.NewFlagSet("", pflag.ContinueOnError)
	AddServerFlags(known)
	var out []string
	fs.Visit(func(f *pflag.Flag) {
		if known.Lookup(f.Name) == nil {
			return
		}
		value := f.Value.String()
		if f.Name == "oci-runtime" && strings.ContainsRune(value, filepath.Separator) {
			value, _ = filepath.Abs(value) // skiffd works elsewhere; without a working directory it says that there is no such file
		}
		out = append(out, "--"+f.Name+"="+value)
	})
	return out
}

func (o *startOptions) run(ctx context.Context) error {
	began := time.Now()
	dir, err := o.dir(false)
	if err != nil {
		return err
	}
	running, err := o.start(ctx, dir)
	if err != nil {
		return fmt.Errorf("start cluster %s: %w", o.name, err)
	}
	path, err := writeContext(o.name, filepath.Join(dir, "kubeconfig"))
	if err != nil {
		return err
	}
	if running {
		fmt.Fprintf(o.io.Out, "cluster %s is running\n", o.name)
		return nil
	}
	fmt.Fprintf(o.io.Out, "cluster %s started in %s; context %s is current in %s\n", o.name, time.Since(began).Round(time.Millisecond), contextName(o.name), path)
	return nil
}

// start brings up the server and the agents of further nodes that are not running.
func (o *startOptions) start(ctx context.Context, dir string) (running bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.wait, fmt.Errorf("not ready within %s; its log is %s", o.wait, filepath.Join(dir, "server.log")))
	defer cancel()
	exe, err := o.program()
	if err != nil {
		return false, err
	}
	if !ours(dir) {
		return false, fmt.Errorf("%s is neither empty nor a cluster's directory; its deletion would take along what is there: name another", dir)
	}
	undo, mine := undoFirst(exe, dir), false
	defer func() { err = undo(err, mine) }()
	progress := o.progress()
	defer progress("")
	rep, err := o.startServer(ctx, exe, dir, progress)
	if err != nil {
		return false, err
	}
	mine = !rep.Running
	if rep.Running {
		if err := await(ctx, dir, 1); err != nil {
			return false, err
		}
	}
	config, err := readCluster(dir)
	if err != nil {
		return false, err
	}
	if other := config.contradicted(o.pass); rep.Running && len(other) > 0 {
		return true, fmt.Errorf("it runs already, without %s: stop it first (\"skiff cluster stop %s\"), then start it so", strings.Join(other, " "), o.name)
	}
	started, err := o.startAgents(ctx, exe, dir, config, progress)
	if err == nil && rep.Running {
		err = await(ctx, dir, 0)
	}
	return rep.Running && !started, err
}

func (o *startOptions) startServer(ctx context.Context, exe, dir string, progress func(string)) (report, error) {
	root, err := DataRoot()
	if err != nil {
		return report{}, err
	}
	args := append([]string{"server", "--data-dir=" + dir, "--name=" + o.name, "--defaults=" + filepath.Join(root, "config.yaml")}, o.pass...)
	return launch(ctx, filepath.Join(dir, "server.log"), exe, args, progress)
}

// startAgents starts nodes 2 to n, all at once.
func (o *startOptions) startAgents(ctx context.Context, exe, dir string, c *clusterFile, progress func(string)) (started bool, err error) {
	if c.Runtime == "hollow" || c.Nodes < 2 {
		return false, nil
	}
	type result struct {
		rep report
		err error
	}
	results := make(chan result)
	for i := 2; i <= c.Nodes; i++ {
		go func() {
			node := c.Name + "-" + strconv.Itoa(i)
			log := filepath.Join(dir, "nodes", node, "agent.log")
			rep, err := launch(ctx, log, exe, []string{"agent", "--data-dir=" + dir, "--node=" + node}, func(string) {})
			if err != nil {
				err = fmt.Errorf("start node %s: %w", node, err)
			}
			results <- result{rep, err}
		}()
	}
	for i := 2; i <= c.Nodes; i++ {
		progress(fmt.Sprintf("starting nodes (%d of %d)", i, c.Nodes))
		r := <-results
		err = errors.Join(err, r.err)
		started = started || r.rep.Ready
	}
	return started, err
}

// progress shows on a terminal what a start is doing, on one line that is wiped at the end.
func (o *startOptions) progress() func(string) {
	if o.quiet || !cli.IsTerminal(o.io.ErrOut) {
		return func(string) {}
	}
	return func(text string) {
		fmt.Fprint(o.io.ErrOut, "\r\x1b[K")
		if text != "" {
			fmt.Fprintf(o.io.ErrOut, "%s …", text)
		}
	}
}

// Ensure starts the cluster of a kubeconfig context ("" is the default cluster), unless it runs, and gives its own kubeconfig. It says so
// in one line on stderr.
func Ensure(ctx context.Context, f *cli.Factory, context string) (kubeconfig string, err error) {
	o := &startOptions{io: f.IO, program: func() (string, error) { return program(f) }, wait: 2 * time.Minute, quiet: true}
	o.parse(nil)
	if context != "" {
		o.name = clusterOf(context)
	}
	dir, err := o.dir(context != "" && o.name != DefaultName)
	if err != nil {
		return "", err
	}
	kubeconfig = filepath.Join(dir, "kubeconfig")
	if serverRuns(dir) {
		if _, err := os.Stat(kubeconfig); err == nil {
			return kubeconfig, nil
		}
	}
	stop := "skiff cluster stop"
	if o.name != DefaultName {
		stop += " " + o.name
	}
	fmt.Fprintf(o.io.ErrOut, "starting the built-in cluster %s (%q stops it)\n", o.name, stop)
	if _, err := o.start(ctx, dir); err != nil {
		return "", fmt.Errorf("start the built-in cluster %s: %w", o.name, err)
	}
	_, err = writeContext(o.name, kubeconfig)
	return kubeconfig, err
}
