// Package describe implements "skiff describe": objects with what belongs to them, in words. What is said of a kind stands in its
// Describe facet; kinds without one are written field by field.
package describe

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that describe goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)
	Query  resource.Query
	// Events shows events; EventsGiven says that the user asked for it or against it.
	Events, EventsGiven bool
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   "describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
		Short: "Show details of a specific resource or group of resources",
		Long: `Show objects in words: their fields, what belongs to them, and what happened to them lately.

If there is no object of the NAME, those whose names begin with it are shown.

Use "` + f.Name + ` api-resources" for a list of all types.`,
		Example: `
  # A node
  skiff describe nodes node-1

  # A pod
  skiff describe pods/redis

  # The objects of a file
  skiff describe -f pod.json

  # All pods
  skiff describe pods

  # Pods by label
  skiff describe pods -l app=web

  # All pods of a replica set, by the beginning of their names
  skiff describe pods web`,
		SuggestFor:        []string{"inspect"},
		ValidArgsFunction: cli.CompleteTypesAndNames(f, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.EventsGiven = cmd.Flags().Changed("show-events")
			if err := o.parse(f.Name, args); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	o.Query.AddFileFlags(fs, "whose objects to describe")
	o.Query.AddSelectorFlag(fs)
	o.Query.AddNamespacesFlag(fs)
	o.Query.AddChunkFlag(fs)
	fs.BoolVar(&o.Events, "show-events", true, "Show the events of the objects. By default for a single object only.")
	return cmd
}

func (o *Options) parse(program string, args []string) error {
	if len(args) == 0 && !o.Query.FromFiles() {
		return fmt.Errorf("You must specify the type of resource to describe. Use \"%s api-resources\" for a complete list of supported resources.\n", program)
	}
	o.Query.Args, o.Query.ListAll, o.Query.Latest = args, true, true
	return nil
}

// Run describes the objects.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	objects, errs := client.All(ctx, o.Query)
	if (len(objects) > 1 || len(errs) > 0) && !o.EventsGiven {
		o.Events = false
	}
	if len(errs) == 1 && len(objects) == 0 && apierrors.IsNotFound(errs[0]) && len(o.Query.Args) == 2 {
		return o.byPrefix(ctx, client, errs[0])
	}
	out := errorWriter{w: o.IO.Out}
	seen := map[string]bool{}
	for _, obj := range objects {
		text, err := o.describe(ctx, client, obj)
		switch {
		case err != nil && seen[err.Error()]:
		case err != nil:
			seen[err.Error()] = true
			errs = append(errs, err)
		case out.written:
			out.print("\n\n" + text)
		default:
			out.print(text)
		}
	}
	if len(objects) == 0 && len(errs) == 0 {
		if o.Query.AllNamespaces {
			fmt.Fprintln(o.IO.ErrOut, "No resources found")
		} else {
			fmt.Fprintf(o.IO.ErrOut, "No resources found in %s namespace.\n", client.Namespace)
		}
	}
	if out.err != nil {
		return out.err
	}
	return utilerrors.NewAggregate(errs)
}

// byPrefix describes the objects whose names begin with the NAME that was not found.
func (o *Options) byPrefix(ctx context.Context, client *resource.Client, notFound error) error {
	q := o.Query
	q.Args, q.SingleType = q.Args[:1], true
	out := errorWriter{w: o.IO.Out}
	for obj, err := range client.Find(ctx, q) {
		if err != nil {
			return err
		}
		if !strings.HasPrefix(obj.Name, o.Query.Args[1]) {
			continue
		}
		text, err := o.describe(ctx, client, obj)
		if err != nil {
			return err
		}
		out.print(text + "\n")
	}
	if !out.written {
		return notFound
	}
	return out.err
}

func (o *Options) describe(ctx context.Context, client *resource.Client, obj *resource.Object) (string, error) {
	typed, kind, err := obj.Typed()
	if err != nil {
		return "", err
	}
	return api.DescribeText(o.Events, o.Query.ChunkSize, func(w *api.DescribeWriter) error {
		if kind.Describe == nil {
			return api.DescribeGeneric(ctx, w, client, obj.Unstructured)
		}
		return kind.Describe(ctx, w, client, typed)
	})
}

// errorWriter keeps the first failure.
type errorWriter struct {
	w       io.Writer
	written bool
	err     error
}

func (e *errorWriter) print(text string) {
	e.written = true
	if e.err == nil {
		_, e.err = io.WriteString(e.w, text)
	}
}
