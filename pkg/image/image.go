// Package image implements "skiff image": the images of the built-in cluster's nodes. It speaks to the node agents through the API
// server's node proxy, as any client could.
package image

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// options are what the subcommands have in common.
type options struct {
	io     cli.IOStreams
	client func() (*resource.Client, error)
	node   string
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	cmd := cli.Family("image SUBCOMMAND", "List, pull, load and remove images of the nodes", `Manage the images that the nodes of the built-in cluster hold.

Nodes of one machine may share their store; --node names a single node to speak to.`,
		newList(f), newPull(f), newLoad(f), newRemove(f))
	cmd.Example = `
  # What there is
  skiff image ls

  # Get one before it is needed
  skiff image pull redis:8

  # From a file of docker save
  skiff image load app.tar

  # Away with it
  skiff image rm redis:8`
	return cmd
}

func (o *options) command(f *cli.Factory, cmd *cobra.Command, run func(ctx context.Context, args []string) error) *cobra.Command {
	o.io, o.client = f.IO, f.Client
	cmd.DisableFlagsInUseLine = true
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), args) }
	cmd.Flags().StringVar(&o.node, "node", "", "Node to speak to; all nodes by default.")
	return cmd
}

// nodes lists the nodes to speak to.
func (o *options) nodes(ctx context.Context, client *resource.Client) ([]string, error) {
	if o.node != "" {
		return []string{o.node}, nil
	}
	var list corev1.NodeList
	if err := client.List(ctx, "", metav1.ListOptions{}, &list); err != nil {
		return nil, err
	}
	if len(list.Items) == 0 {
		return nil, errors.New("the cluster has no nodes")
	}
	var names []string
	for _, n := range list.Items {
		names = append(names, n.Name)
	}
	return names, nil
}

// each calls do for every node in turn.
func (o *options) each(ctx context.Context, do func(client *resource.Client, node string) error) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	nodes, err := o.nodes(ctx, client)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if err := do(client, node); err != nil {
			return fmt.Errorf("node %s: %w", node, err)
		}
	}
	return nil
}

// request is a call to a node's agent.
func request(method, node, path string, query url.Values) resource.Request {
	return resource.Request{Method: method, Path: "/api/v1/nodes/" + node + "/proxy" + path, Query: query, Name: node}
}
