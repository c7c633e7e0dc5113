package config

import (
	"fmt"

	"github.com/spf13/cobra"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubeskiff/skiff/pkg/cli"
)

func newDeleteCluster(c *files) *cobra.Command {
	return newDelete(c, "cluster", "Delete the specified cluster from the kubeconfig", clusters)
}

func newDeleteContext(c *files) *cobra.Command {
	return newDelete(c, "context", "Delete the specified context from the kubeconfig", contexts)
}

func newDeleteUser(c *files) *cobra.Command {
	return newDelete(c, "user", "Delete the specified user from the kubeconfig", users)
}

func newDelete[V any](c *files, noun, short string, of func(*clientcmdapi.Config) map[string]V) *cobra.Command {
	return &cobra.Command{
		Use: "delete-" + noun + " NAME", Short: short, Long: "Remove a " + noun + " from the kubeconfig.",
		Example:               "\n  skiff config delete-" + noun + " minikube",
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeKeys(c, of),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				if noun == "user" {
					return cli.UsageErrorf(cmd, "user to delete is required")
				}
				return cmd.Help()
			}
			config, err := c.load()
			if err != nil {
				return err
			}
			if _, ok := of(config)[args[0]]; !ok {
				return fmt.Errorf("cannot delete %s %s, not in %s", noun, args[0], c.path())
			}
			if noun == "context" && config.CurrentContext == args[0] {
				fmt.Fprint(c.io.ErrOut, "warning: this removed your active context, use \"kubectl config use-context\" to select a different one\n")
			}
			delete(of(config), args[0])
			if err := c.save(config, true); err != nil {
				return err
			}
			fmt.Fprintf(c.io.Out, "deleted %s %s from %s\n", noun, args[0], c.path())
			return nil
		},
	}
}
