package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

type status struct {
	options
	watch    bool
	revision int64
	timeout  time.Duration
}

func newStatus(f *cli.Factory) *cobra.Command {
	o := &status{}
	cmd := o.command(f, "status (TYPE NAME | TYPE/NAME) [flags]", "Show the status of the rollout", `Say how far a rollout is, until it is complete.

With --watch=false only once. A rollout that another one follows is not waited for if --revision pins it.`, `
  skiff rollout status deployment/web`, o.parse, o.run)
	fs := cmd.Flags()
	fs.BoolVarP(&o.watch, "watch", "w", true, "Go on until the rollout is complete.")
	fs.Int64Var(&o.revision, "revision", 0, "Revision that is expected to roll out; 0 for the latest.")
	fs.DurationVar(&o.timeout, "timeout", 0, "How long to wait: 1s, 2m, 3h; zero for ever.")
	return cmd
}

func (o *status) parse(args []string) error {
	if err := o.options.parse(args); err != nil {
		return err
	}
	if o.revision < 0 {
		return fmt.Errorf("revision must be a positive integer: %v", o.revision)
	}
	return nil
}

func (o *status) run(ctx context.Context) error {
	found, err := o.each(ctx, func(client *resource.Client, obj *resource.Object) error { return o.follow(ctx, client, obj) })
	if err == nil && !found {
		return o.sayNothingFound()
	}
	return err
}

// follow says what is still waited for, each time that it changes.
func (o *status) follow(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	kind := obj.Kind()
	if kind.Rollout == nil || kind.Rollout.Status == nil {
		return fmt.Errorf("no status viewer has been implemented for %v", kind.GVK().GroupKind())
	}
	parent := ctx
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	shown := ""
	err := client.WaitFor(ctx, obj, func(u *unstructured.Unstructured) (bool, error) {
		if u.GetResourceVersion() == shown {
			return false, nil
		}
		shown = u.GetResourceVersion()
		now := &resource.Object{Unstructured: u, Mapping: obj.Mapping, Namespace: obj.Namespace, Name: obj.Name}
		typed, _, err := now.Typed()
		if err != nil {
			return false, err
		}
		text, done, err := kind.Rollout.Status(typed, o.revision)
		if err != nil {
			return false, err
		}
		fmt.Fprint(o.io.Out, text)
		return done || !o.watch, nil
	})
	switch {
	case parent.Err() != nil:
		return cli.ErrExit
	case ctx.Err() != nil:
		return errors.New("timed out waiting for the condition")
	case apierrors.IsNotFound(err) && shown != "":
		return errors.New("object has been deleted")
	}
	return err
}
