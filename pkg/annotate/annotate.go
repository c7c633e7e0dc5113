// Package annotate implements "skiff annotate": change the annotations of objects.
package annotate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// changeCause may always be overwritten: it tells why a rollout happened.
const changeCause = "kubernetes.io/change-cause"

// Options are everything that annotate goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)
	Query  resource.Query
	Print  printers.Options

	Pairs           resource.Pairs
	Overwrite, List bool
	ResourceVersion string
	FieldManager    string

	dryRun  string
	dry     cli.DryRun
	printer printers.Printer
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   "annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
		Short: "Update the annotations on a resource",
		Long: `Set annotations with KEY=VALUE and remove them with KEY-. An annotation that has another value already is changed with
--overwrite only. Values are any text; nothing selects by them.`,
		Example: `
  # Set
  skiff annotate pod redis description='keeps sessions'

  # Change
  skiff annotate --overwrite pod redis description='keeps the cache'

  # All pods of the namespace
  skiff annotate pods --all seen=today

  # Remove
  skiff annotate pod redis description-`,
		ValidArgsFunction: cli.CompleteTypesAndNames(f, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(args); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	o.Print.AddFlags(fs)
	o.Query.AddFileFlags(fs, "whose objects to annotate")
	fs.Lookup("recursive").DefValue = "true"
	o.Query.Recursive = true
	o.Query.AddSelectorFlag(fs)
	o.Query.AddFieldSelectorFlag(fs)
	o.Query.AddNamespacesFlag(fs)
	fs.BoolVar(&o.Query.All, "all", false, "All objects of the types in the namespace.")
	fs.BoolVar(&o.Query.Local, "local", false, "Change the manifests of -f and print them; no server is asked.")
	fs.BoolVar(&o.Overwrite, "overwrite", false, "Change annotations that have another value.")
	fs.BoolVar(&o.List, "list", false, "Show the annotations afterwards.")
	fs.StringVar(&o.ResourceVersion, "resource-version", "", "Only if this is the object's version. For a single object.")
	cli.AddDryRunFlag(fs, &o.dryRun)
	cli.AddFieldManagerFlag(fs, &o.FieldManager, "kubectl-annotate")
	fs.Bool("record", false, "Of no effect any more.")
	fs.MarkHidden("record")
	return cmd
}

func (o *Options) parse(args []string) (err error) {
	if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
		return err
	}
	names, pairs, err := resource.SplitPairs(args, "annotation")
	if err != nil {
		return err
	}
	o.Pairs.Set = map[string]string{}
	for _, pair := range pairs {
		if key, value, ok := strings.Cut(pair, "="); ok {
			o.Pairs.Set[key] = value
		} else {
			o.Pairs.Remove = append(o.Pairs.Remove, strings.TrimSuffix(pair, "-"))
		}
	}
	o.Query.Args, o.Query.Latest = names, !o.Query.Local
	if o.Query.Kustomize != "" {
		o.Query.Recursive = false
	}
	switch {
	case o.List && o.Print.Output != "":
		return fmt.Errorf("--list and --output may not be specified together")
	case o.Query.All && o.Query.LabelSelector != "":
		return fmt.Errorf("cannot set --all and --selector at the same time")
	case o.Query.All && o.Query.FieldSelector != "":
		return fmt.Errorf("cannot set --all and --field-selector at the same time")
	case o.Query.Local && o.dry == cli.DryRunServer:
		return fmt.Errorf("cannot specify --local and --dry-run=server - did you mean --dry-run=client?")
	case o.Query.Local && len(names) > 0:
		return fmt.Errorf("can only use local files by -f rsrc.yaml or --filename=rsrc.json when --local=true is set")
	case o.Query.Local && !o.Query.FromFiles():
		return fmt.Errorf("one or more files must be specified as -f rsrc.yaml or --filename=rsrc.json")
	case len(names) == 0 && !o.Query.FromFiles():
		return fmt.Errorf("one or more resources must be specified as <resource> <name> or <resource>/<name>")
	case len(pairs) == 0 && !o.List:
		return fmt.Errorf("at least one annotation update is required")
	}
	var both []string
	for _, key := range o.Pairs.Remove {
		if _, ok := o.Pairs.Set[key]; ok {
			both = append(both, key)
		}
	}
	if len(both) > 0 {
		return fmt.Errorf("can not both modify and remove the following annotation(s) in the same command: %s", strings.Join(both, ", "))
	}
	o.printer, err = o.Print.Printer(o.dry.Operation("annotated"))
	return err
}

// Run annotates the objects.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	single, err := client.OneNamed(o.Query)
	if err != nil {
		return err
	}
	if !single && o.ResourceVersion != "" {
		return fmt.Errorf("--resource-version may only be used with a single resource")
	}
	var errs []error
	for obj, err := range client.Find(ctx, o.Query) {
		if err == nil {
			err = o.one(ctx, client, obj, single)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return utilerrors.NewAggregate(errs)
}

func (o *Options) one(ctx context.Context, client *resource.Client, obj *resource.Object, single bool) error {
	if !o.Overwrite {
		if err := o.refuseOverwrite(obj.GetAnnotations()); err != nil {
			return err
		}
	}
	annotations, _, _ := o.Pairs.Edit(obj.GetAnnotations())
	edit := func(obj *resource.Object) error { obj.SetAnnotations(annotations); return nil }
	var err error
	if o.dry == cli.DryRunClient || o.Query.Local || o.List {
		err = edit(obj)
	} else {
		err = client.PatchMetadata(ctx, obj, o.ResourceVersion, resource.WriteOptions{DryRun: o.dry == cli.DryRunServer, FieldManager: o.FieldManager}, edit)
	}
	if err != nil {
		return err
	}
	if o.List {
		o.list(obj, single)
		return nil
	}
	return o.printer.Print(obj.Unstructured, o.IO.Out)
}

func (o *Options) refuseOverwrite(annotations map[string]string) error {
	var taken []string
	for _, key := range slices.Sorted(maps.Keys(o.Pairs.Set)) {
		if now, ok := annotations[key]; ok && now != o.Pairs.Set[key] && key != changeCause {
			taken = append(taken, fmt.Sprintf("'%s' already has a value (%s)", key, now))
		}
	}
	if len(taken) > 0 {
		return fmt.Errorf("--overwrite is false but found the following declared annotation(s): %s", strings.Join(taken, "; "))
	}
	return nil
}

func (o *Options) list(obj *resource.Object, single bool) {
	indent := ""
	if !single {
		indent = " "
		gvk := obj.GroupVersionKind()
		fmt.Fprintf(o.IO.Out, "Listing annotations for %s.%s/%s:\n", gvk.Kind, gvk.Group, obj.Name)
	}
	annotations := obj.GetAnnotations()
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		fmt.Fprintf(o.IO.Out, "%s%s=%s\n", indent, key, annotations[key])
	}
}
