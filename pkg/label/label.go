// Package label implements "skiff label": change the labels of objects.
package label

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that label goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)
	Query  resource.Query
	Print  printers.Options

	Pairs           resource.Pairs
	Overwrite, List bool
	ResourceVersion string
	FieldManager    string

	dryRun string
	dry    cli.DryRun
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   "label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
		Short: "Update the labels on a resource",
		Long: `Set labels with KEY=VALUE and remove them with KEY-. A label that has another value already is changed with --overwrite only.

A value has at most 63 characters: letters, digits, dashes, underscores and dots, a letter or digit at both ends. A key may
have a DNS name and a slash before it.`,
		Example: `
  # Set
  skiff label pod redis tier=db

  # Change
  skiff label --overwrite pod redis tier=cache

  # All pods of the namespace
  skiff label pods --all checked=yes

  # Remove
  skiff label pod redis tier-`,
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
	o.Query.AddFileFlags(fs, "whose objects to label")
	o.Query.AddSelectorFlag(fs)
	o.Query.AddFieldSelectorFlag(fs)
	o.Query.AddNamespacesFlag(fs)
	fs.BoolVar(&o.Query.All, "all", false, "All objects of the types in the namespace.")
	fs.BoolVar(&o.Query.Local, "local", false, "Change the manifests of -f and print them; no server is asked.")
	fs.BoolVar(&o.Overwrite, "overwrite", false, "Change labels that have another value.")
	fs.BoolVar(&o.List, "list", false, "Show the labels afterwards.")
	fs.StringVar(&o.ResourceVersion, "resource-version", "", "Only if this is the object's version. For a single object.")
	cli.AddDryRunFlag(fs, &o.dryRun)
	cli.AddFieldManagerFlag(fs, &o.FieldManager, "kubectl-label")
	fs.Bool("record", false, "Of no effect any more.")
	fs.MarkHidden("record")
	return cmd
}

func (o *Options) parse(args []string) (err error) {
	if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
		return err
	}
	names, pairs, err := resource.SplitPairs(args, "label")
	if err != nil {
		return err
	}
	if o.Pairs, err = parsePairs(pairs); err != nil {
		return err
	}
	o.Query.Args, o.Query.Latest = names, true
	if o.Query.Local {
		o.Query.Latest = false
	}
	if _, err := o.Print.Printer(""); err != nil {
		return err
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
		return fmt.Errorf("can only use local files by -f pod.yaml or --filename=pod.json when --local=true is set")
	case o.Query.Local && !o.Query.FromFiles():
		return fmt.Errorf("one or more files must be specified as -f pod.yaml or --filename=pod.json")
	case len(names) == 0 && !o.Query.FromFiles():
		return fmt.Errorf("one or more resources must be specified as <resource> <name> or <resource>/<name>")
	case len(o.Pairs.Set) == 0 && len(o.Pairs.Remove) == 0 && !o.List:
		return fmt.Errorf("at least one label update is required")
	}
	return nil
}

func parsePairs(specs []string) (p resource.Pairs, err error) {
	p.Set = map[string]string{}
	for _, spec := range specs {
		key, value, ok := strings.Cut(spec, "=")
		switch {
		case ok && strings.Contains(value, "="):
			return p, fmt.Errorf("invalid label spec: %v", spec)
		case ok:
			if errs := validation.IsValidLabelValue(value); len(errs) > 0 {
				return p, fmt.Errorf("invalid label value: %q: %s", spec, strings.Join(errs, ";"))
			}
			p.Set[key] = value
		case strings.HasSuffix(spec, "-"):
			p.Remove = append(p.Remove, strings.TrimSuffix(spec, "-"))
		default:
			return p, fmt.Errorf("unknown label spec: %v", spec)
		}
	}
	for _, key := range p.Remove {
		if _, ok := p.Set[key]; ok {
			return p, fmt.Errorf("can not both modify and remove a label in the same command")
		}
	}
	return p, nil
}

// Run labels the objects.
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
		if err := o.refuseOverwrite(obj.GetLabels()); err != nil {
			return err
		}
	}
	labels, set, removed := o.Pairs.Edit(obj.GetLabels())
	edit := func(obj *resource.Object) error { obj.SetLabels(labels); return nil }
	var err error
	if o.dry == cli.DryRunClient || o.Query.Local || o.List {
		err = edit(obj)
	} else {
		for _, key := range o.Pairs.Remove {
			if !slices.Contains(removed, key) {
				fmt.Fprintf(o.IO.Out, "label %q not found.\n", key)
			}
		}
		if len(set)+len(removed) > 0 {
			err = client.PatchMetadata(ctx, obj, o.ResourceVersion, resource.WriteOptions{DryRun: o.dry == cli.DryRunServer, FieldManager: o.FieldManager}, edit)
		}
	}
	if err != nil {
		return err
	}
	if o.List {
		o.list(obj, single)
		return nil
	}
	printer, err := o.Print.Printer(o.dry.Operation(change(set, removed)))
	if err != nil {
		return err
	}
	return printer.Print(obj.Unstructured, o.IO.Out)
}

// change is what the message says was done.
func change(set, removed []string) string {
	switch {
	case len(set) > 0 && len(removed) > 0:
		return "modified"
	case len(set) > 0:
		return "labeled"
	case len(removed) > 0:
		return "unlabeled"
	}
	return "not labeled"
}

func (o *Options) refuseOverwrite(labels map[string]string) error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(o.Pairs.Set)) {
		if now, ok := labels[key]; ok && now != o.Pairs.Set[key] {
			errs = append(errs, fmt.Errorf("'%s' already has a value (%s), and --overwrite is false", key, now))
		}
	}
	return utilerrors.NewAggregate(errs)
}

func (o *Options) list(obj *resource.Object, single bool) {
	indent := ""
	if !single {
		indent = " "
		gvk := obj.GroupVersionKind()
		fmt.Fprintf(o.IO.Out, "Listing labels for %s.%s/%s:\n", gvk.Kind, gvk.Group, obj.Name)
	}
	labels := obj.GetLabels()
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(o.IO.Out, "%s%s=%s\n", indent, key, labels[key])
	}
}
