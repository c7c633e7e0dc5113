// Package wait implements "skiff wait": wait until objects are as one wants them.
package wait

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that wait goes by.
type Options struct {
	IO      cli.IOStreams
	Client  func() (*resource.Client, error)
	Query   resource.Query
	Print   printers.Options
	For     []string
	Timeout time.Duration

	goals   []goal
	printer printers.Printer
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   "wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
		Short: "Wait for a specific condition on one or many resources",
		Long: `Wait until each of the objects meets what --for says, and tell so for each.

  create              the object exists
  delete              the object is gone
  condition=NAME      the condition has status True; condition=NAME=VALUE that value (case does not matter)
  jsonpath=PATH       the field is there; jsonpath=PATH=VALUE that it has this value

Several --for must hold one after the other; create comes first.`,
		Example: `
  # The pod is ready
  skiff wait --for=condition=Ready pod/redis

  # The pod is no longer ready
  skiff wait --for=condition=Ready=false pod/redis

  # A field has a value, within a minute
  skiff wait --for=jsonpath='{.status.phase}'=Running pod/redis --timeout=60s

  # A service has its address
  skiff wait --for=jsonpath='{.status.loadBalancer.ingress}' service/my-service

  # The pod exists, and is gone
  skiff wait --for=create pod/redis
  skiff wait --for=delete pod/redis`,
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
	o.Query.Latest = true
	fs.StringSliceVarP(&o.Query.Filenames, "filename", "f", nil, "File, directory or URL with the manifests of the objects to wait for.")
	fs.BoolVarP(&o.Query.Recursive, "recursive", "R", true, "Go through the directory of -f with all directories below it.")
	o.Query.AddSelectorFlag(fs)
	o.Query.AddFieldSelectorFlag(fs)
	o.Query.AddNamespacesFlag(fs)
	fs.BoolVar(&o.Query.All, "all", false, "Wait for all objects of the types in the namespace.")
	fs.BoolVar(&o.Query.Local, "local", false, "Take the objects from the files alone.")
	fs.DurationVar(&o.Timeout, "timeout", 30*time.Second, "How long to wait. Zero looks once, negative waits for a week.")
	fs.StringArrayVar(&o.For, "for", nil, "What to wait for: create, delete, condition=NAME[=VALUE] or jsonpath='{PATH}'[=VALUE]. May be given more than once.")
	return cmd
}

func (o *Options) parse(args []string) (err error) {
	o.Query.Args = args
	// Here --all only lets a TYPE alone stand for all of its objects: with -l it says nothing more.
	o.Query.ListAll, o.Query.All = o.Query.All, false
	if o.printer, err = o.Print.Printer("condition met"); err != nil {
		return err
	}
	for _, f := range o.For {
		g, err := parseGoal(f)
		if err != nil {
			return err
		}
		o.goals = append(o.goals, g)
	}
	if len(o.goals) == 0 {
		return fmt.Errorf("unrecognized condition: %q", o.For)
	}
	if o.Timeout < 0 {
		o.Timeout = 168 * time.Hour
	}
	return nil
}

func (o *Options) waitsFor(kind goalKind) bool {
	return slices.ContainsFunc(o.goals, func(g goal) bool { return g.kind == kind })
}

// Run waits for each object in turn; the timeout is for all of them together.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	bounded := ctx
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	if o.waitsFor(create) {
		if err := o.created(bounded, client); err != nil {
			return err
		}
	}
	deleting := o.waitsFor(gone)
	q := o.Query
	q.IgnoreNotFound = deleting
	count := 0
	for obj, err := range client.Find(ctx, q) {
		if err != nil {
			return err
		}
		count++
		for _, g := range o.goals {
			if err := o.reach(bounded, client, obj, g); err != nil {
				return cli.Interrupted(ctx, err)
			}
			if err := o.printer.Print(obj.Unstructured, o.IO.Out); err != nil {
				return err
			}
		}
	}
	if count == 0 && !deleting {
		return errors.New("no matching resources found")
	}
	return nil
}

// poll is how often --for=create looks.
const poll = 500 * time.Millisecond

func (o *Options) created(ctx context.Context, client *resource.Client) error {
	for {
		found, missing := false, true
		for _, err := range client.Find(ctx, o.Query) {
			if err != nil {
				if ctx.Err() == nil && !apierrors.IsNotFound(err) {
					return err
				}
				missing = true
				break
			}
			found, missing = true, false
		}
		if found && !missing {
			return nil
		}
		if o.Timeout == 0 {
			return errors.New("timed out waiting for the condition")
		}
		select {
		case <-ctx.Done():
			return errors.New("timed out waiting for the condition")
		case <-time.After(poll):
		}
	}
}

func (o *Options) reach(ctx context.Context, client *resource.Client, obj *resource.Object, g goal) error {
	if obj.Name == "" || obj.Unstructured == nil {
		return fmt.Errorf("resource name must be provided")
	}
	if g.kind == create {
		return nil
	}
	if o.Timeout == 0 {
		return o.once(ctx, client, obj, g)
	}
	if g.kind == gone {
		return client.WaitDeleted(ctx, obj, "")
	}
	return client.WaitFor(ctx, obj, g.met)
}

// once looks without waiting.
func (o *Options) once(ctx context.Context, client *resource.Client, obj *resource.Object, g goal) error {
	err := client.Read(ctx, obj)
	if g.kind == gone {
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		return fmt.Errorf("condition not met for %s", obj.ResourceName())
	}
	if err != nil {
		return err
	}
	ok, err := g.met(obj.Unstructured)
	if err == nil && !ok {
		err = fmt.Errorf("condition not met for %s", obj.ResourceName())
	}
	return err
}
