package config

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func newSetContext(c *files) *cobra.Command {
	var cluster, user, namespace string
	var current bool
	cmd := &cobra.Command{
		Use:   "set-context [NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]",
		Short: "Set a context entry in kubeconfig",
		Long:  "Add a context, or change what the flags name of one that is there.",
		Example: `
  skiff config set-context prod --cluster=prod --user=me
  skiff config set-context --current --namespace=team-a`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeKeys(c, contexts),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return helpError(cmd, "Unexpected args: %v", args)
			}
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			if name == "" && !current {
				return errors.New("you must specify a non-empty context name or --current")
			}
			if name != "" && current {
				return errors.New("you cannot specify both a context name and --current")
			}
			config, err := c.load()
			if err != nil {
				return err
			}
			if current {
				if name = config.CurrentContext; name == "" {
					return errors.New("no current context is set")
				}
			}
			ctx, exists := config.Contexts[name]
			if !exists {
				ctx = clientcmdapi.NewContext()
				config.Contexts[name] = ctx
			}
			for flag, field := range map[string]*string{"cluster": &ctx.Cluster, "user": &ctx.AuthInfo, "namespace": &ctx.Namespace} {
				if cmd.Flags().Changed(flag) {
					*field = cmd.Flag(flag).Value.String()
				}
			}
			if err := c.save(config, true); err != nil {
				return err
			}
			deed := "created"
			if exists {
				deed = "modified"
			}
			fmt.Fprintf(c.io.Out, "Context %q %s.\n", name, deed)
			return nil
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&current, "current", false, "Change the current context.")
	fs.StringVar(&cluster, "cluster", "", "Cluster of the context.")
	fs.StringVar(&user, "user", "", "User of the context.")
	fs.StringVarP(&namespace, "namespace", "n", "", "Namespace of the context.")
	return cmd
}
