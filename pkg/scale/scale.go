// Package scale implements "skiff scale": how many replicas a workload is to have.
package scale

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that scale goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)
	Query  resource.Query
	Print  printers.Options

	Replicas, CurrentReplicas int
	ResourceVersion           string
	Timeout                   time.Duration

	dryRun  string
	dry     cli.DryRun
	printer printers.Printer
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   "scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
		Short: "Set a new size for a deployment, replica set, or replication controller",
		Long: `Set how many replicas a workload is to have.

With --current-replicas or --resource-version this is done only if the workload is as these say.`,
		Example: `
  # Three replicas
  skiff scale --replicas=3 deployment/web

  # The workload of a file
  skiff scale --replicas=3 -f web.yaml

  # Only if there are two now
  skiff scale --current-replicas=2 --replicas=3 deployment/web

  # Several at once
  skiff scale --replicas=5 deployment/web deployment/api`,
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
	fs.BoolVar(&o.Query.All, "all", false, "All objects of the types in the namespace.")
	fs.StringVar(&o.ResourceVersion, "resource-version", "", "Only if this is the object's version.")
	fs.IntVar(&o.CurrentReplicas, "current-replicas", -1, "Only if this is the present number of replicas; -1 for any.")
	fs.IntVar(&o.Replicas, "replicas", 0, "How many replicas there are to be.")
	cmd.MarkFlagRequired("replicas")
	fs.DurationVar(&o.Timeout, "timeout", 0, "How long to wait until the replicas are there; zero does not wait.")
	o.Query.AddFileFlags(fs, "whose objects to scale")
	o.Query.AddSelectorFlag(fs)
	cli.AddDryRunFlag(fs, &o.dryRun)
	fs.Bool("record", false, "Of no effect any more.")
	fs.MarkHidden("record")
	return cmd
}

func (o *Options) parse(args []string) (err error) {
	if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
		return err
	}
	if o.printer, err = o.Print.Printer(o.dry.Operation("scaled")); err != nil {
		return err
	}
	o.Query.Args = args
	switch {
	case o.Replicas < 0:
		return errors.New("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
	case o.CurrentReplicas < -1:
		return errors.New("The --current-replicas must specify an integer of -1 or greater")
	}
	return nil
}

// Run scales the objects.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	objects, errs := client.All(ctx, o.Query)
	failed := utilerrors.NewAggregate(errs)
	switch {
	case o.ResourceVersion != "" && len(objects) > 1:
		return errors.New("cannot use --resource-version with multiple resources")
	case len(objects) == 0 && failed != nil:
		return failed
	case len(objects) == 0:
		return errors.New("no objects passed to scale")
	}
	for _, obj := range objects {
		replicas := int64(o.Replicas)
		if o.dry != cli.DryRunClient {
			if replicas, err = o.scale(ctx, client, obj); err != nil {
				return err
			}
		}
		if s := obj.Kind().Scale; s != nil {
			if err := unstructured.SetNestedField(obj.Object, replicas, strings.Split(s.Spec, ".")...); err != nil {
				return err
			}
		}
		if err := o.printer.Print(obj.Unstructured, o.IO.Out); err != nil {
			return err
		}
	}
	return failed
}

// Conflicts are tried again this often within this time.
const (
	retryInterval = time.Second
	retryTimeout  = 5 * time.Minute
)

// scale sets one object's replicas, waits if asked to, and gives what the server made of it.
func (o *Options) scale(ctx context.Context, client *resource.Client, obj *resource.Object) (int64, error) {
	retry, cancel := context.WithTimeout(ctx, retryTimeout)
	defer cancel()
	var size int64
	err := poll(retry, func() (bool, error) {
		s, err := o.set(ctx, client, obj)
		if apierrors.IsConflict(err) {
			return false, nil
		}
		size = int64(s.Spec.Replicas)
		return true, err
	})
	if err != nil || o.Timeout == 0 || o.dry != cli.DryRunNone {
		return size, err
	}
	return size, o.await(ctx, client, obj)
}

// set makes one attempt: a patch, or with conditions a read and an update.
func (o *Options) set(ctx context.Context, client *resource.Client, obj *resource.Object) (s autoscalingv1.Scale, err error) {
	r := request(obj)
	r.Method, r.ContentType = http.MethodPatch, string(types.MergePatchType)
	r.Body = fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, o.Replicas)
	if o.CurrentReplicas != -1 || o.ResourceVersion != "" {
		if err := read(ctx, client, request(obj), &s); err != nil {
			return s, err
		}
		if err := o.check(&s); err != nil {
			return s, err
		}
		s.Spec.Replicas = int32(o.Replicas)
		r.Method, r.ContentType = http.MethodPut, ""
		if r.Body, err = json.Marshal(s); err != nil {
			return s, err
		}
	}
	if o.dry == cli.DryRunServer {
		r.Query = url.Values{"dryRun": {"All"}}
	}
	s = autoscalingv1.Scale{}
	return s, read(ctx, client, r, &s)
}

func (o *Options) check(s *autoscalingv1.Scale) error {
	if want := o.CurrentReplicas; want != -1 && int(s.Spec.Replicas) != want {
		return fmt.Errorf("Expected replicas to be %d, was %d", want, s.Spec.Replicas)
	}
	if want := o.ResourceVersion; want != "" && s.ResourceVersion != want {
		return fmt.Errorf("Expected resource version to be %s, was %s", want, s.ResourceVersion)
	}
	return nil
}

// await waits until there are as many replicas as wanted, or somebody wants another number.
func (o *Options) await(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	wait, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	err := poll(wait, func() (bool, error) {
		var s autoscalingv1.Scale
		err := read(ctx, client, request(obj), &s)
		return s.Spec.Replicas != int32(o.Replicas) || s.Status.Replicas == int32(o.Replicas), err
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return fmt.Errorf("timed out waiting for %s to be synced", strconv.Quote(obj.Name))
	}
	return err
}

func poll(ctx context.Context, done func() (bool, error)) error {
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryInterval):
		}
	}
}

func request(obj *resource.Object) resource.Request {
	return resource.Request{Path: obj.Mapping.Path(obj.Namespace, obj.Name, "scale"), Resource: obj.Mapping.GroupResource(), Name: obj.Name}
}

func read(ctx context.Context, client *resource.Client, r resource.Request, s *autoscalingv1.Scale) error {
	body, err := client.Do(ctx, r)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, s)
}
