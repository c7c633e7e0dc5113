package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubeskiff/skiff/pkg/printers"
)

func newGetContexts(c *files) *cobra.Command {
	var output string
	var noHeaders bool
	cmd := &cobra.Command{
		Use:   "get-contexts [(-o|--output=)name)]",
		Short: "Describe one or many contexts",
		Long:  "List contexts, all or those named.",
		Example: `
  skiff config get-contexts
  skiff config get-contexts skiff`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeKeys(c, contexts),
		RunE: func(_ *cobra.Command, args []string) error {
			if output != "" && output != "name" {
				return fmt.Errorf("--output %v is not available in kubectl config get-contexts; resetting to default output format", output)
			}
			return c.listContexts(args, output == "name", noHeaders)
		},
	}
	cmd.Flags().BoolVar(&noHeaders, "no-headers", false, "Leave out the line of headers.")
	cmd.Flags().StringVarP(&output, "output", "o", "", `"name" prints names only.`)
	return cmd
}

func (c *files) listContexts(names []string, nameOnly, noHeaders bool) error {
	config, err := c.load()
	if err != nil {
		return err
	}
	var errs []error
	show := slices.Collect(maps.Keys(config.Contexts))
	if len(names) > 0 {
		show = nil
		for _, name := range names {
			if _, ok := config.Contexts[name]; ok {
				show = append(show, name)
			} else {
				errs = append(errs, fmt.Errorf("context %v not found", name))
			}
		}
	}
	slices.Sort(show)
	w := printers.NewTabWriter(c.io.Out)
	if !nameOnly && !noHeaders {
		w.Row("CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE")
	}
	for _, name := range show {
		if nameOnly {
			w.Row(name)
			continue
		}
		current := " "
		if name == config.CurrentContext {
			current = "*"
		}
		ctx := config.Contexts[name]
		w.Row(current, name, ctx.Cluster, ctx.AuthInfo, ctx.Namespace)
	}
	if err := w.Flush(); err != nil {
		errs = append(errs, err)
	}
	return utilerrors.NewAggregate(errs)
}

func newGetClusters(c *files) *cobra.Command {
	return newList(c, "get-clusters", "Display clusters defined in the kubeconfig", "List the clusters of the kubeconfig.", clusters)
}

func newGetUsers(c *files) *cobra.Command {
	return newList(c, "get-users", "Display users defined in the kubeconfig", "List the users of the kubeconfig.", users)
}

func newList[V any](c *files, use, short, long string, of func(*clientcmdapi.Config) map[string]V) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long, Example: "\n  skiff config " + use,
		RunE: func(*cobra.Command, []string) error {
			config, err := c.load()
			if err != nil {
				return err
			}
			fmt.Fprintln(c.io.Out, "NAME")
			for _, name := range slices.Sorted(maps.Keys(of(config))) {
				fmt.Fprintln(c.io.Out, name)
			}
			return nil
		},
	}
}
