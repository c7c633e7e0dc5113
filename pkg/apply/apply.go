// Package apply implements "skiff apply": make the cluster hold what manifests say, and leave alone what they do not.
package apply

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that apply goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)
	Query  resource.Query
	Print  printers.Options
	Name   string // of the program, for warnings
	// RenderWatch renders a directory as -k does, again after each change.
	RenderWatch func(ctx context.Context, dir string) iter.Seq2[[]byte, error]

	ServerSide, ForceConflicts bool
	Overwrite, Force           bool
	FieldManager               string
	Subresource                string
	Prune, All                 bool
	Allowlist                  []string
	Cascade                    string
	GracePeriod                int
	Timeout                    time.Duration
	Watch                      bool

	managerGiven     bool
	dryRun, validate string
	dry              cli.DryRun
	validation       string
	policy           metav1.DeletionPropagation
	applied          []*resource.Object // for -o yaml and the like
	visited          map[types.UID]bool
	namespaces       []string
}

// The names under which the server records what apply set.
const (
	clientSideManager = "kubectl-client-side-apply"
	serverSideManager = "kubectl"
)

// NewCommand makes the command with its subcommands.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client, Name: f.Name, RenderWatch: f.RenderWatch, visited: map[types.UID]bool{}}
	cmd := &cobra.Command{
		Use:   "apply (-f FILENAME | -k DIRECTORY)",
		Short: "Apply a configuration to a resource by file name or stdin",
		Long: `Make objects as manifests describe them: what is missing is created, what differs is changed, what others set and the
manifests do not mention stays. Fields that an earlier apply set and the manifest no longer has are removed; what was
applied is kept in an annotation for that, or with --server-side by the server itself.`,
		Example: `
  # A file
  skiff apply -f ./redis.yaml

  # A kustomization
  skiff apply -k ./

  # From the web, from stdin, from a directory
  skiff apply -f https://example.com/app.yaml
  cat redis.yaml | skiff apply -f -
  skiff apply -f ./manifests/ -R

  # Let the server merge and keep book of who set what
  skiff apply --server-side -f ./redis.yaml

  # Delete what carries the label, was applied once and is no longer in the files
  skiff apply --prune -l app=web -f ./manifests/`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.managerGiven = cmd.Flags().Changed("field-manager")
			if len(args) > 0 {
				return cli.UsageErrorf(cmd, "Unexpected args: %v", args)
			}
			if err := o.parse(); err != nil {
				return err
			}
			if o.Watch {
				return o.watch(cmd.Context())
			}
			return o.Run(cmd.Context())
		},
	}
	o.addFlags(cmd.Flags())
	if f.Name == "skiff" {
		cmd.Flags().BoolVarP(&o.Watch, "watch", "w", false, "Go on until interrupted: apply again whenever a file that -k reads changes.")
	}
	cmd.AddCommand(newViewLastApplied(f), newSetLastApplied(f), newEditLastApplied(f))
	return cmd
}

func (o *Options) addFlags(fs *pflag.FlagSet) {
	o.Print.AddFlags(fs)
	o.Query.AddFileFlags(fs, "to apply")
	o.Query.AddSelectorFlag(fs)
	cli.AddDryRunFlag(fs, &o.dryRun)
	cli.AddValidateFlag(fs, &o.validate)
	cli.AddFieldManagerFlag(fs, &o.FieldManager, clientSideManager)
	cli.AddSubresourceFlag(fs, &o.Subresource, "Subresource to apply to; with --server-side only.")
	fs.BoolVar(&o.ServerSide, "server-side", false, "Let the server merge.")
	fs.BoolVar(&o.ForceConflicts, "force-conflicts", false, "Take over fields that others manage. With --server-side only.")
	fs.BoolVar(&o.Overwrite, "overwrite", true, "Let the manifest win where another changed the same field.")
	fs.BoolVar(&o.Force, "force", false, "Delete and make anew what cannot be changed.")
	fs.BoolVar(&o.Prune, "prune", false, "Delete objects that were applied once and are not in the manifests; among those of --selector, or of all with --all.")
	fs.BoolVar(&o.All, "all", false, "Prune among all objects.")
	fs.StringArrayVar(&o.Allowlist, "prune-allowlist", nil, "Kinds to prune, as group/version/Kind; core stands for the group without a name.")
	fs.StringVar(&o.Cascade, "cascade", "background", `What becomes of objects that belong to pruned ones: "background", "foreground" or "orphan".`)
	fs.Lookup("cascade").NoOptDefVal = "background"
	fs.IntVar(&o.GracePeriod, "grace-period", -1, "Seconds that a deleted object has to end by itself. Negative leaves it to the object.")
	fs.DurationVar(&o.Timeout, "timeout", 0, "How long --force waits for an object to be gone. Zero means as long as it may take.")
	fs.Bool("wait", false, "Wait until deleted objects are gone.")
	fs.Bool("openapi-patch", true, "Of no effect: how lists merge is known without asking the server.")
	fs.Bool("record", false, "Of no effect any more.")
	fs.MarkHidden("record")
}

func (o *Options) parse() (err error) {
	if !o.Query.FromFiles() {
		return fmt.Errorf("must specify one of -f and -k")
	}
	if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
		return err
	}
	if o.validation, err = cli.ParseValidate(o.validate); err != nil {
		return err
	}
	if o.policy, err = resource.ParseCascade(o.Cascade, o.IO.ErrOut); err != nil {
		return err
	}
	if _, err = o.Print.Printer(""); err != nil {
		return err
	}
	if o.ServerSide && !o.managerGiven {
		o.FieldManager = serverSideManager
	}
	o.Query.Validate = o.validation != "Ignore"
	switch {
	case o.ForceConflicts && !o.ServerSide:
		return fmt.Errorf("--force-conflicts only works with --server-side")
	case o.dry == cli.DryRunClient && o.ServerSide:
		return fmt.Errorf("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")
	case o.ServerSide && o.Force:
		return fmt.Errorf("--force cannot be used with --server-side")
	case o.dry == cli.DryRunServer && o.Force:
		return fmt.Errorf("--dry-run=server cannot be used with --force")
	case o.All && o.Query.LabelSelector != "":
		return fmt.Errorf("cannot set --all and --selector at the same time")
	case o.Prune && !o.All && o.Query.LabelSelector == "":
		return fmt.Errorf("all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector")
	case o.Prune && o.Force:
		return fmt.Errorf("--force cannot be used with --prune")
	}
	return nil
}

// Run applies the objects. One that fails does not keep the next from being tried, but nothing is pruned then.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	if client.NamespaceExplicit {
		o.visit(client.Namespace)
	}
	objects, errs := client.All(ctx, o.Query)
	if len(objects) == 0 && len(errs) == 0 {
		return fmt.Errorf("no objects passed to apply")
	}
	for _, obj := range objects {
		if err := o.one(ctx, client, obj); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return utilerrors.NewAggregate(errs)
	}
	if err := o.printApplied(); err != nil {
		return err
	}
	if o.Prune {
		return o.prune(ctx, client)
	}
	return nil
}

func (o *Options) one(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	if obj.Namespaced() {
		o.visit(obj.Namespace)
	}
	if obj.Name == "" && obj.GetGenerateName() != "" {
		return fmt.Errorf("from %s: cannot use generate name with apply", obj.GetGenerateName())
	}
	if o.ServerSide {
		return o.serverSide(ctx, client, obj)
	}
	return o.clientSide(ctx, client, obj)
}

func (o *Options) writeOptions() resource.WriteOptions {
	return resource.WriteOptions{DryRun: o.dry == cli.DryRunServer, FieldManager: o.FieldManager, FieldValidation: o.validation}
}

// printsObjects tells whether objects are printed at the end rather than a line for each as it is done.
func (o *Options) printsObjects() bool { return o.Print.Given() && o.Print.Output != "name" }

// report tells what became of an object.
func (o *Options) report(obj *resource.Object, operation string) error {
	o.visited[obj.GetUID()] = true
	if o.printsObjects() {
		o.applied = append(o.applied, obj)
		return nil
	}
	return o.say(obj.Unstructured, operation)
}

func (o *Options) say(u *unstructured.Unstructured, operation string) error {
	printer, err := o.Print.Printer(o.dry.Operation(operation))
	if err != nil {
		return err
	}
	return printer.Print(u, o.IO.Out)
}

// printApplied prints one object as itself, several as a List.
func (o *Options) printApplied() error {
	if !o.printsObjects() {
		return nil
	}
	if len(o.applied) == 1 {
		return o.say(o.applied[0].Unstructured, "")
	}
	list := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{}}}
	for _, obj := range o.applied {
		list.Items = append(list.Items, *obj.Unstructured)
	}
	printer, err := o.Print.Printer("")
	if err != nil {
		return err
	}
	return printer.Print(list, o.IO.Out)
}

func (o *Options) visit(namespace string) {
	for _, ns := range o.namespaces {
		if ns == namespace {
			return
		}
	}
	o.namespaces = append(o.namespaces, namespace)
}

// warnIfDeleting says that a change will not last.
func (o *Options) warnIfDeleting(obj *resource.Object) {
	if obj.GetDeletionTimestamp() != nil {
		fmt.Fprintf(o.IO.ErrOut, "Warning: Detected changes to resource %s which is currently being deleted.\n", obj.Name)
	}
}
