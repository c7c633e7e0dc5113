// Package config implements "skiff config": read and change kubeconfig files. It speaks to no server.
package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// files is how the subcommands reach the kubeconfig.
type files struct {
	io     cli.IOStreams
	flags  *cli.Flags
	access *clientcmd.PathOptions
}

// NewCommand makes the command with its subcommands.
func NewCommand(f *cli.Factory) *cobra.Command {
	c := &files{io: f.IO, flags: f.Flags, access: clientcmd.NewDefaultPathOptions()}
	cmd := cli.Family("config SUBCOMMAND", "Modify kubeconfig files", `Read and change kubeconfig files.

The file is that of --kubeconfig; else those of the KUBECONFIG variable, merged, where a change goes to the file that has the
entry already, or to the first that exists; else ~/.kube/config.`,
		newView(c), newSetCluster(c), newSetCredentials(c), newSetContext(c), newSet(c), newUnset(c), newCurrentContext(c), newUseContext(c),
		newGetContexts(c), newGetClusters(c), newGetUsers(c), newDeleteCluster(c), newDeleteContext(c), newDeleteUser(c), newRenameContext(c))
	cmd.PersistentFlags().StringVar(&c.access.LoadingRules.ExplicitPath, "kubeconfig", "", "Kubeconfig file to use, alone.")
	return cmd
}

func (c *files) load() (*clientcmdapi.Config, error) { return c.access.GetStartingConfig() }

func (c *files) save(config *clientcmdapi.Config, relative bool) error {
	return clientcmd.ModifyConfig(c.access, *config, relative)
}

// path is the file that messages name.
func (c *files) path() string {
	if c.access.IsExplicitFile() {
		return c.access.GetExplicitFile()
	}
	return c.access.GetDefaultFilename()
}

// helpError shows the command's help before the mistake.
func helpError(cmd *cobra.Command, format string, args ...any) error {
	if err := cmd.Help(); err != nil {
		return err
	}
	return fmt.Errorf(format, args...)
}

// completeKeys completes the names of clusters, contexts or users.
func completeKeys[V any](c *files, of func(*clientcmdapi.Config) map[string]V) cli.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		config, err := c.load()
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return slices.Sorted(maps.Keys(of(config))), cobra.ShellCompDirectiveNoFileComp
	}
}

func clusters(c *clientcmdapi.Config) map[string]*clientcmdapi.Cluster { return c.Clusters }
func contexts(c *clientcmdapi.Config) map[string]*clientcmdapi.Context { return c.Contexts }
func users(c *clientcmdapi.Config) map[string]*clientcmdapi.AuthInfo   { return c.AuthInfos }

func newCurrentContext(c *files) *cobra.Command {
	return &cobra.Command{
		Use:   "current-context",
		Short: "Display the current-context",
		Long:  "Show the name of the current context.",
		Example: `
  skiff config current-context`,
		RunE: func(*cobra.Command, []string) error {
			config, err := c.load()
			if err != nil {
				return err
			}
			if config.CurrentContext == "" {
				return errors.New("current-context is not set")
			}
			fmt.Fprintln(c.io.Out, config.CurrentContext)
			return nil
		},
	}
}

func newUseContext(c *files) *cobra.Command {
	return &cobra.Command{
		Use:     "use-context CONTEXT_NAME",
		Aliases: []string{"use"},
		Short:   "Set the current-context in a kubeconfig file",
		Long:    "Make a context the one that commands use when they name none.",
		Example: `
  skiff config use-context skiff`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeKeys(c, contexts),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return helpError(cmd, "Unexpected args: %v", args)
			}
			if args[0] == "" {
				return errors.New("empty context names are not allowed")
			}
			config, err := c.load()
			if err != nil {
				return err
			}
			if _, ok := config.Contexts[args[0]]; !ok {
				return fmt.Errorf("no context exists with the name: %q", args[0])
			}
			config.CurrentContext = args[0]
			if err := c.save(config, true); err != nil {
				return err
			}
			fmt.Fprintf(c.io.Out, "Switched to context %q.\n", args[0])
			return nil
		},
	}
}

func newRenameContext(c *files) *cobra.Command {
	return &cobra.Command{
		Use:   "rename-context CONTEXT_NAME NEW_NAME",
		Short: "Rename a context from the kubeconfig file",
		Long:  "Give a context another name. If it is the current one it stays that.",
		Example: `
  skiff config rename-context old new`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeKeys(c, contexts),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return helpError(cmd, "Unexpected args: %v", args)
			}
			from, to := args[0], args[1]
			if to == "" {
				return errors.New("You must specify a new non-empty context name")
			}
			config, err := c.load()
			if err != nil {
				return err
			}
			context, ok := config.Contexts[from]
			if !ok {
				return fmt.Errorf("cannot rename the context %q, it's not in %s", from, c.path())
			}
			if _, ok := config.Contexts[to]; ok {
				return fmt.Errorf("cannot rename the context %q, the context %q already exists in %s", from, to, c.path())
			}
			config.Contexts[to] = context
			delete(config.Contexts, from)
			if config.CurrentContext == from {
				config.CurrentContext = to
			}
			if err := c.save(config, true); err != nil {
				return err
			}
			fmt.Fprintf(c.io.Out, "Context %q renamed to %q.\n", from, to)
			return nil
		},
	}
}
