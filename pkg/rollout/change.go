package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// change is what pause, resume and restart have in common: a small edit of each object.
type change struct {
	options
	print   printers.Options
	manager string
	done    string // what the message says
	edit    func(api.Object, *api.Kind) error
}

func (o *change) command(f *cli.Factory, use, short, long, example string) *cobra.Command {
	cmd := o.options.command(f, use, short, long, example, o.parse, o.run)
	cli.AddFieldManagerFlag(cmd.Flags(), &o.manager, "kubectl-rollout")
	o.print.AddFlags(cmd.Flags())
	return cmd
}

func (o *change) parse(args []string) error {
	if _, err := o.print.Printer(""); err != nil {
		return err
	}
	return o.options.parse(args)
}

func (o *change) run(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	printer, err := o.print.Printer(o.done)
	if err != nil {
		return err
	}
	objects, errs := client.All(ctx, o.query)
	if len(objects) == 0 && len(errs) == 0 {
		return o.sayNothingFound()
	}
	for _, obj := range objects {
		if err := o.one(ctx, client, obj, printer); err != nil {
			errs = append(errs, err)
		}
	}
	return utilerrors.NewAggregate(errs)
}

func (o *change) one(ctx context.Context, client *resource.Client, obj *resource.Object, printer printers.Printer) error {
	_, patch, typ, err := obj.EditPatch(o.edit)
	switch {
	case err != nil:
		return fmt.Errorf("error: %s %q %v", obj.Mapping.GroupResource(), obj.Name, err)
	case patch == nil:
		return fmt.Errorf("failed to create patch for %v: if restart has already been triggered within the past second, please wait before attempting to trigger another", obj.Name)
	}
	if err := client.Patch(ctx, obj, typ, patch, resource.WriteOptions{FieldManager: o.manager}); err != nil {
		return fmt.Errorf("failed to patch: %v", err)
	}
	return printer.Print(obj.Unstructured, o.io.Out)
}

// paused points at the field, nil for kinds that cannot be paused.
func paused(obj api.Object, kind *api.Kind) *bool {
	if kind.Rollout == nil || kind.Rollout.Paused == nil {
		return nil
	}
	return kind.Rollout.Paused(obj)
}

func newPause(f *cli.Factory) *cobra.Command {
	o := &change{done: "paused", edit: func(obj api.Object, kind *api.Kind) error {
		switch p := paused(obj, kind); {
		case p == nil:
			return errors.New("pausing is not supported")
		case *p:
			return errors.New("is already paused")
		default:
			*p = true
		}
		return nil
	}}
	return o.command(f, "pause RESOURCE", "Mark the provided resource as paused", `Let changes of a workload wait until it is resumed. What runs goes on.

Only deployments can be paused.`, `
  skiff rollout pause deployment/web`)
}

func newResume(f *cli.Factory) *cobra.Command {
	o := &change{done: "resumed", edit: func(obj api.Object, kind *api.Kind) error {
		switch p := paused(obj, kind); {
		case p == nil:
			return errors.New("resuming is not supported")
		case !*p:
			return errors.New("is not paused")
		default:
			*p = false
		}
		return nil
	}}
	return o.command(f, "resume RESOURCE", "Resume a paused resource", "Carry out the changes that waited while a workload was paused.", `
  skiff rollout resume deployment/web`)
}

// restartedAt is the annotation of the pod template by which pods are made anew.
const restartedAt = "kubectl.kubernetes.io/restartedAt"

func newRestart(f *cli.Factory) *cobra.Command {
	o := &change{done: "restarted", edit: func(obj api.Object, kind *api.Kind) error {
		if kind.Rollout == nil || kind.PodTemplate == nil {
			return errors.New("restarting is not supported")
		}
		if p := paused(obj, kind); p != nil && *p {
			return errors.New("can't restart paused deployment (run rollout resume first)")
		}
		template := kind.PodTemplate(obj)
		if template.Annotations == nil {
			template.Annotations = map[string]string{}
		}
		template.Annotations[restartedAt] = time.Now().Format(time.RFC3339)
		return nil
	}}
	return o.command(f, "restart RESOURCE", "Restart a resource", "Make all pods of a workload anew, as for a change.", `
  # All deployments of a namespace
  skiff rollout restart deployment -n test

  # One
  skiff rollout restart deployment/web

  # By label
  skiff rollout restart deployment --selector=app=web`)
}
