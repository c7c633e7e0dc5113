// Package rollout implements "skiff rollout" and its subcommands: how a change of a workload's pods goes on, what it was before, and
// back to it. What is particular to a kind stands in its Rollout facet.
package rollout

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	cmd := cli.Family("rollout SUBCOMMAND", "Manage the rollout of a resource", `See and steer how a workload's pods are replaced after a change.

It works on deployments, daemon sets and stateful sets.`,
		newHistory(f), newPause(f), newRestart(f), newResume(f), newStatus(f), newUndo(f))
	cmd.Example = `
  # Back to what was before
  skiff rollout undo deployment/web

  # Wait until all pods are of the new kind
  skiff rollout status deployment/web

  # Make all pods anew
  skiff rollout restart deployment/web`
	return cmd
}

// options are what the subcommands have in common.
type options struct {
	io     cli.IOStreams
	client func() (*resource.Client, error)
	query  resource.Query
}

func (o *options) addFlags(fs *pflag.FlagSet) {
	o.query.AddFileFlags(fs, "whose objects to go by")
	o.query.AddSelectorFlag(fs)
}

func (o *options) parse(args []string) error {
	if len(args) == 0 && !o.query.FromFiles() {
		return errors.New("required resource not specified")
	}
	o.query.Args, o.query.ListAll, o.query.Latest = args, true, true
	return nil
}

// command makes a subcommand of which run does the work.
func (o *options) command(f *cli.Factory, use, short, long, example string, parse func(args []string) error, run func(ctx context.Context) error) *cobra.Command {
	o.io, o.client = f.IO, f.Client
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example, DisableFlagsInUseLine: true,
		ValidArgsFunction: cli.CompleteTypesAndNames(f, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := parse(args); err != nil {
				return err
			}
			return run(cmd.Context())
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// each calls do for the objects in turn, whatever fails, and tells whether there were any.
func (o *options) each(ctx context.Context, do func(*resource.Client, *resource.Object) error) (found bool, err error) {
	client, err := o.client()
	if err != nil {
		return false, err
	}
	var errs []error
	for obj, err := range client.Find(ctx, o.query) {
		if err == nil {
			found = true
			err = do(client, obj)
		}
		if ctx.Err() != nil {
			return found, err
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return found, utilerrors.NewAggregate(errs)
}

func (o *options) sayNothingFound() error {
	client, err := o.client()
	if err != nil {
		return err
	}
	fmt.Fprintf(o.io.ErrOut, "No resources found in %s namespace.\n", client.Namespace)
	return nil
}

// unsupported says that a kind has no history: one text for kinds that run pods, another for all others.
func unsupported(kind *api.Kind, other, runsPods string) error {
	gk := kind.GVK().GroupKind()
	if kind.PodTemplate != nil || kind.PodSpec != nil {
		return fmt.Errorf("%s %q", runsPods, gk.String())
	}
	return fmt.Errorf("%s %q, no visitor method exists for %v", other, gk.String(), struct{ Group, Kind string }{gk.Group, gk.Kind})
}
