package rollout

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

type undo struct {
	options
	print    printers.Options
	revision int64
	program  string
	dryRun   string
	dry      cli.DryRun
}

func newUndo(f *cli.Factory) *cobra.Command {
	o := &undo{program: f.Name}
	cmd := o.command(f, "undo (TYPE NAME | TYPE/NAME) [flags]", "Undo a previous rollout", "Go back to an earlier revision.", `
  # To the one before
  skiff rollout undo deployment/web

  # To a certain one
  skiff rollout undo deployment/web --to-revision=3

  # Only try
  skiff rollout undo --dry-run=server deployment/web`, o.parse, o.run)
	fs := cmd.Flags()
	fs.Int64Var(&o.revision, "to-revision", 0, "Revision to go back to; 0 for the one before the latest.")
	cli.AddDryRunFlag(fs, &o.dryRun)
	o.print.AddFlags(fs)
	return cmd
}

func (o *undo) parse(args []string) (err error) {
	if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
		return err
	}
	if _, err := o.print.Printer(""); err != nil {
		return err
	}
	return o.options.parse(args)
}

func (o *undo) run(ctx context.Context) error {
	_, err := o.each(ctx, func(client *resource.Client, obj *resource.Object) error { return o.one(ctx, client, obj) })
	return err
}

func (o *undo) one(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	typed, kind, err := obj.Typed()
	if err != nil {
		return err
	}
	if _, ok := obj.GetAnnotations()[resource.LastApplied]; ok {
		fmt.Fprintf(o.io.ErrOut, "Warning: resource %[1]s was previously managed with '%[3]s apply'. "+
			"Rolling back will not update the %[2]s annotation, which may cause unexpected behavior on future '%[3]s apply' operations. "+
			"Consider using '%[3]s apply' with your previous configuration file instead.\n", obj.ResourceName(), resource.LastApplied, o.program)
	}
	if kind.Rollout == nil || kind.Rollout.Target == nil {
		return unsupported(kind, "error retrieving rollbacker for", "no rollbacker has been implemented for")
	}
	if o.revision < 0 {
		return fmt.Errorf("unable to find specified revision %v in history", o.revision)
	}
	target, err := kind.Rollout.Target(ctx, client, typed, o.revision)
	if err != nil {
		return err
	}
	if o.dry == cli.DryRunClient {
		return o.say(templateText(target.Template), typed)
	}
	patch, skip, err := kind.Rollout.Undo(typed, target, o.revision)
	switch {
	case err != nil:
		return err
	case skip != "":
		return o.say(skip, typed)
	}
	if err := client.Patch(ctx, obj, patch.Type, patch.Data, resource.WriteOptions{DryRun: o.dry == cli.DryRunServer}); err != nil {
		return fmt.Errorf("failed restoring revision %d: %v", o.revision, err)
	}
	return o.say("rolled back", typed)
}

// say prints the object, which is that of before, with what was done.
func (o *undo) say(operation string, obj api.Object) error {
	printer, err := o.print.Printer(o.dry.Operation(operation))
	if err != nil {
		return err
	}
	return printer.Print(obj, o.io.Out)
}
