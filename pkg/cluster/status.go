package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

func newStatus(f *cli.Factory) *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "Show how a cluster fares; fails unless it runs with all nodes ready",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.parse(args)
			dir, err := t.dir(true)
			if err != nil {
				return err
			}
			return status(cmd.Context(), f.IO, t.name, dir)
		},
	}
	t.addFlags(cmd)
	return cmd
}

// status prints a cluster's state; one that is not whole is exit code 1.
func status(ctx context.Context, io cli.IOStreams, name, dir string) error {
	c, err := readCluster(dir)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(io.Out, 0, 8, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "Name:\t%s\nDirectory:\t%s\nRuntime:\t%s\n", name, dir, runtimeText(c.Runtime))
	if !serverRuns(dir) {
		fmt.Fprintf(w, "Status:\tStopped\n")
		return cli.ErrExit
	}
	fmt.Fprintf(w, "API server:\thttps://127.0.0.1:%d\nContext:\t%s\n", c.APIPort, contextName(name))
	nodes, err := listNodes(ctx, dir)
	if err != nil {
		fmt.Fprintf(w, "Status:\tNot answering: %v\n", err)
		return cli.ErrExit
	}
	ready := 0
	var lines []string
	for i := range nodes {
		state := "NotReady"
		if nodeReady(&nodes[i]) {
			state = "Ready"
			ready++
		}
		lines = append(lines, fmt.Sprintf("  %s\t%s\t%s", nodes[i].Name, state, nodes[i].Status.NodeInfo.ContainerRuntimeVersion))
	}
	text := "Running"
	if ready < len(nodes) || len(nodes) < c.Nodes {
		text = "Degraded"
	}
	fmt.Fprintf(w, "Status:\t%s\nNodes:\t%d of %d ready\n", text, ready, max(len(nodes), c.Nodes))
	fmt.Fprintln(w, strings.Join(lines, "\n"))
	if text != "Running" {
		return cli.ErrExit
	}
	return nil
}

func runtimeText(runtime string) string {
	if runtime == "hollow" {
		return "hollow (pods only pretend to run)"
	}
	return runtime
}

func nodeReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// listNodes asks the cluster itself, by its own kubeconfig.
func listNodes(ctx context.Context, dir string) ([]corev1.Node, error) {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(dir, "kubeconfig"))
	if err != nil {
		return nil, fmt.Errorf("read the cluster's kubeconfig: %w", err)
	}
	config.Timeout = 5 * time.Second
	client := resource.New(resource.Config{REST: func(context.Context) (*rest.Config, error) { return config, nil }, CacheDir: filepath.Join(dir, "cache")})
	var list corev1.NodeList
	if err := client.List(ctx, "", metav1.ListOptions{}, &list); err != nil {
		return nil, err
	}
	return list.Items, nil
}
