package main

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/annotate"
	"github.com/kubeskiff/skiff/pkg/apiresources"
	"github.com/kubeskiff/skiff/pkg/apply"
	"github.com/kubeskiff/skiff/pkg/attach"
	"github.com/kubeskiff/skiff/pkg/auth"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/clusterinfo"
	"github.com/kubeskiff/skiff/pkg/completion"
	"github.com/kubeskiff/skiff/pkg/config"
	"github.com/kubeskiff/skiff/pkg/create"
	"github.com/kubeskiff/skiff/pkg/delete"
	"github.com/kubeskiff/skiff/pkg/describe"
	"github.com/kubeskiff/skiff/pkg/edit"
	"github.com/kubeskiff/skiff/pkg/exec"
	"github.com/kubeskiff/skiff/pkg/explain"
	"github.com/kubeskiff/skiff/pkg/expose"
	"github.com/kubeskiff/skiff/pkg/get"
	kustomize "github.com/kubeskiff/skiff/pkg/kustomize/command"
	"github.com/kubeskiff/skiff/pkg/label"
	"github.com/kubeskiff/skiff/pkg/logs"
	"github.com/kubeskiff/skiff/pkg/options"
	"github.com/kubeskiff/skiff/pkg/portforward"
	"github.com/kubeskiff/skiff/pkg/rollout"
	"github.com/kubeskiff/skiff/pkg/run"
	"github.com/kubeskiff/skiff/pkg/scale"
	"github.com/kubeskiff/skiff/pkg/set"
	"github.com/kubeskiff/skiff/pkg/version"
	"github.com/kubeskiff/skiff/pkg/wait"
)

// The groups of the root's help.
const (
	basic      = "basic"
	deploy     = "deploy"
	cluster    = "cluster"
	trouble    = "trouble"
	advanced   = "advanced"
	settings   = "settings"
	otherGroup = ""
)

// newRoot is the tree of all commands, listed by hand.
func newRoot(f *cli.Factory) *cobra.Command {
	root := &cobra.Command{
		Use:   f.Name,
		Short: f.Name + " controls Kubernetes clusters",
		Long: f.Name + ` speaks to a Kubernetes API server: the built-in one, which it starts when it is first needed, or any other that
a kubeconfig names.`,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f.Flags.Add(root.PersistentFlags())
	cli.StyleHelp(root, f.IO.Out)
	root.AddGroup(
		&cobra.Group{ID: basic, Title: "Basic Commands:"},
		&cobra.Group{ID: deploy, Title: "Deploy Commands:"},
		&cobra.Group{ID: cluster, Title: "Cluster Management Commands:"},
		&cobra.Group{ID: trouble, Title: "Troubleshooting and Debugging Commands:"},
		&cobra.Group{ID: advanced, Title: "Advanced Commands:"},
		&cobra.Group{ID: settings, Title: "Settings Commands:"},
	)
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			c.DisableFlagsInUseLine = true
		}
		root.AddCommand(cmds...)
	}
	add(basic,
		create.NewCommand(f),
		expose.NewCommand(f),
		run.NewCommand(f),
		set.NewCommand(f),
		explain.NewCommand(f),
		get.NewCommand(f),
		edit.NewCommand(f),
		delete.NewCommand(f),
	)
	add(deploy,
		rollout.NewCommand(f),
		scale.NewCommand(f),
	)
	add(cluster,
		clusterinfo.NewCommand(f),
	)
	add(trouble,
		describe.NewCommand(f),
		logs.NewCommand(f),
		attach.NewCommand(f),
		exec.NewCommand(f),
		portforward.NewCommand(f),
		auth.NewCommand(f),
	)
	add(advanced,
		apply.NewCommand(f),
		wait.NewCommand(f),
		kustomize.NewCommand(f.IO, f.Name),
	)
	add(settings,
		label.NewCommand(f),
		annotate.NewCommand(f),
		completion.NewCommand(f),
	)
	add(otherGroup,
		apiresources.NewCommand(f),
		apiresources.NewVersionsCommand(f),
		config.NewCommand(f),
		options.NewCommand(f),
		version.NewCommand(f),
	)
	if f.Name == "skiff" {
		addOwn(root, f)
	}
	return root
}
