// Package set implements "skiff set" and its subcommands: change one thing of objects that have a pod template, or of pods.
package set

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	return cli.Family("set SUBCOMMAND", "Set specific features on objects", "Change one thing of objects that exist.",
		newEnv(f), newImage(f), newResources(f), newServiceAccount(f))
}

// options are what the subcommands have in common.
type options struct {
	io     cli.IOStreams
	client func() (*resource.Client, error)
	query  resource.Query
	print  printers.Options

	manager string
	done    string // what the message says
	failure string // what comes before the server's refusal
	always  bool   // also objects that do not change are sent and printed
	dryRun  string
	dry     cli.DryRun
	printer printers.Printer
}

// command declares the flags of all subcommands. run does the work.
func (o *options) command(f *cli.Factory, cmd *cobra.Command, run func(ctx context.Context, args []string) error) *cobra.Command {
	o.io, o.client = f.IO, f.Client
	cmd.DisableFlagsInUseLine = true
	cmd.ValidArgsFunction = cli.CompleteTypesAndNames(f, false)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
			return err
		}
		if o.printer, err = o.print.Printer(o.dry.Operation(o.done)); err != nil {
			return err
		}
		return run(cmd.Context(), args)
	}
	fs := cmd.Flags()
	o.print.AddFlags(fs)
	o.query.AddFileFlags(fs, "whose objects to change")
	fs.BoolVar(&o.query.All, "all", false, "All objects of the types in the namespace.")
	fs.BoolVar(&o.query.Local, "local", false, "Change the manifests of -f and print them; no server is asked.")
	cli.AddDryRunFlag(fs, &o.dryRun)
	cli.AddFieldManagerFlag(fs, &o.manager, "kubectl-set")
	return cmd
}

func addRecordFlag(cmd *cobra.Command) {
	cmd.Flags().Bool("record", false, "Of no effect any more.")
	cmd.Flags().MarkHidden("record")
}

// find reads the objects; the first that cannot be read is the end.
func (o *options) find(ctx context.Context, client *resource.Client, args []string) ([]*resource.Object, error) {
	if o.query.Local && len(args) > 0 {
		return nil, resource.ErrLocal
	}
	o.query.Args, o.query.Latest = args, !o.query.Local
	objects, errs := client.All(ctx, o.query)
	return objects, utilerrors.NewAggregate(errs)
}

var errLocalServer = fmt.Errorf("cannot specify --local and --dry-run=server - did you mean --dry-run=client?")

// editFunc changes a pod's or template's spec. More errors than one it adds to errs.
type editFunc func(obj api.Object, spec *corev1.PodSpec) (errs []error)

// change edits the objects, sends the patches and prints what came of it. Objects that do not change are passed over.
func (o *options) change(ctx context.Context, client *resource.Client, objects []*resource.Object, edit editFunc) error {
	var errs []error
	for _, obj := range objects {
		errs = append(errs, o.one(ctx, client, obj, edit)...)
	}
	return utilerrors.NewAggregate(errs)
}

func (o *options) one(ctx context.Context, client *resource.Client, obj *resource.Object, edit editFunc) (errs []error) {
	edited, patch, typ, err := obj.EditPatch(func(typed api.Object, kind *api.Kind) error {
		spec := podSpec(typed, kind)
		if spec == nil {
			return fmt.Errorf("the object is not a pod or does not have a pod template: %T", typed)
		}
		errs = edit(typed, spec)
		return nil
	})
	switch {
	case err != nil:
		return append(errs, fmt.Errorf("error: %s %v\n", obj.ResourceName(), err))
	case patch == nil && !o.always:
		return errs
	case o.query.Local || o.dry == cli.DryRunClient:
		err = o.printer.Print(edited, o.io.Out)
	default:
		if patch == nil {
			patch = []byte("{}")
		}
		if err = client.Patch(ctx, obj, typ, patch, resource.WriteOptions{DryRun: o.dry == cli.DryRunServer, FieldManager: o.manager}); err != nil {
			err = fmt.Errorf("%s %v", o.failure, err)
		} else {
			err = o.printer.Print(obj.Unstructured, o.io.Out)
		}
	}
	if err != nil {
		errs = append(errs, err)
	}
	return errs
}

// podSpec is the part of an object that says what its pods are.
func podSpec(obj api.Object, kind *api.Kind) *corev1.PodSpec {
	switch {
	case kind.PodSpec != nil:
		return kind.PodSpec(obj)
	case kind.PodTemplate != nil:
		return &kind.PodTemplate(obj).Spec
	}
	return nil
}

// matching chooses containers by name, in which stars stand for anything; init containers come last.
func matching(spec *corev1.PodSpec, pattern string) []*corev1.Container {
	var out []*corev1.Container
	for _, list := range [][]corev1.Container{spec.Containers, spec.InitContainers} {
		for i := range list {
			if matches(list[i].Name, pattern) {
				out = append(out, &list[i])
			}
		}
	}
	return out
}

func matches(name, pattern string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return name == pattern
	}
	first, last := parts[0], parts[len(parts)-1]
	rest, ok := strings.CutPrefix(name, first)
	if !ok || !strings.HasSuffix(rest, last) {
		return false
	}
	rest = rest[:len(rest)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return true
}
