// Package delete implements "skiff delete": end objects and wait until they are gone.
package delete

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that delete goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)
	Query  resource.Query

	Cascade     string
	GracePeriod int
	Now, Force  bool
	Wait        bool
	Timeout     time.Duration
	Interactive bool
	Output, Raw string

	dryRun          string
	dry             cli.DryRun
	policy          metav1.DeletionPropagation
	ignoreWasChosen bool
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:        "delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])",
		Short:      "Delete resources by file names, stdin, resources and names, or by resources and label selector",
		SuggestFor: []string{"rm"},
		Long: `Delete objects: those of manifests, those named, those that a selector finds, or with --all every one of a type.

Pods get time to end by themselves: what their spec grants, or --grace-period seconds, or one with --now. With --force and a
grace period of 0 the object goes at once, whether or not its processes have ended. The command returns when the objects
are gone, unless --wait=false.`,
		Example: `
  # What a manifest describes
  skiff delete -f ./redis.yaml

  # What a kustomization describes
  skiff delete -k ./

  # By name
  skiff delete pod redis
  skiff delete pods,services web

  # By label
  skiff delete pods -l app=web

  # At once
  skiff delete pod redis --now
  skiff delete pod redis --force

  # All pods of the namespace
  skiff delete pods --all`,
		ValidArgsFunction: cli.CompleteTypesAndNames(f, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.ignoreWasChosen = cmd.Flags().Changed("ignore-not-found")
			if err := o.parse(args); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	o.Query.AddFileFlags(fs, "whose objects to delete")
	o.Query.AddSelectorFlag(fs)
	o.Query.AddFieldSelectorFlag(fs)
	o.Query.AddNamespacesFlag(fs)
	fs.BoolVar(&o.Query.All, "all", false, "Delete all objects of the types in the namespace.")
	fs.BoolVar(&o.Query.IgnoreNotFound, "ignore-not-found", false, `An object that is not there counts as deleted. "true" by default with --all and selectors.`)
	fs.StringVar(&o.Cascade, "cascade", "background", `What becomes of objects that belong to these: "background" deletes them afterwards, "foreground" before, "orphan" keeps them.`)
	fs.Lookup("cascade").NoOptDefVal = "background"
	fs.IntVar(&o.GracePeriod, "grace-period", -1, "Seconds that an object has to end by itself. Negative leaves it to the object; 0 only with --force.")
	fs.BoolVar(&o.Now, "now", false, "Grant one second only.")
	fs.BoolVar(&o.Force, "force", false, "Remove the object without waiting for its processes to end. They may go on running.")
	fs.BoolVar(&o.Wait, "wait", true, "Return when the objects are gone, finalizers included.")
	fs.DurationVar(&o.Timeout, "timeout", 0, "How long to wait for one object to be gone. Zero means as long as it may take.")
	fs.BoolVarP(&o.Interactive, "interactive", "i", false, "Ask before deleting.")
	fs.StringVarP(&o.Output, "output", "o", "", `"name" prints type/name only.`)
	fs.StringVar(&o.Raw, "raw", "", "Path to DELETE on the server as it is.")
	cli.AddDryRunFlag(fs, &o.dryRun)
	return cmd
}

func (o *Options) parse(args []string) (err error) {
	o.Query.Args = args
	o.Query.NoObject = true
	if (o.Query.All || o.Query.LabelSelector != "" || o.Query.FieldSelector != "") && !o.ignoreWasChosen {
		o.Query.IgnoreNotFound = true
	}
	if o.policy, err = resource.ParseCascade(o.Cascade, o.IO.ErrOut); err != nil {
		return err
	}
	if o.Now {
		if o.GracePeriod != -1 {
			return fmt.Errorf("--now and --grace-period cannot be specified together")
		}
		o.GracePeriod = 1
	}
	if o.GracePeriod == 0 && !o.Force {
		// Without --force nothing is removed before its processes have ended.
		o.GracePeriod = 1
	}
	if o.Force && o.GracePeriod < 0 {
		o.GracePeriod = 0
	}
	if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
		return err
	}
	switch {
	case o.Output != "" && o.Output != "name":
		return fmt.Errorf("unexpected -o output mode: %v. We only support '-o name'", o.Output)
	case o.GracePeriod == 0 && o.Force:
		fmt.Fprintln(o.IO.ErrOut, "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.")
	case o.GracePeriod > 0 && o.Force:
		return fmt.Errorf("--force and --grace-period greater than 0 cannot be specified together")
	}
	return o.checkRaw()
}

func (o *Options) checkRaw() error {
	if o.Raw == "" {
		return nil
	}
	switch files := o.Query.Filenames; {
	case o.Interactive:
		return fmt.Errorf("--interactive can not be used with --raw")
	case len(files) > 1:
		return fmt.Errorf("--raw can only use a single local file or stdin")
	case len(files) == 1 && (strings.HasPrefix(files[0], "http://") || strings.HasPrefix(files[0], "https://")):
		return fmt.Errorf("--raw cannot read from a url")
	case o.Query.Recursive:
		return fmt.Errorf("--raw and --recursive are mutually exclusive")
	case o.Output != "":
		return fmt.Errorf("--raw and --output are mutually exclusive")
	}
	if _, err := url.ParseRequestURI(o.Raw); err != nil {
		return fmt.Errorf("--raw must be a valid URL path: %v", err)
	}
	return nil
}

// Run deletes, and waits.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	if o.Raw != "" {
		return o.deleteRaw(ctx, client)
	}
	found := client.Find(ctx, o.Query)
	if o.Interactive {
		objects, errs := client.All(ctx, o.Query)
		if err := utilerrors.NewAggregate(o.ignored(errs)); err != nil {
			return err
		}
		if len(objects) == 0 {
			fmt.Fprintln(o.IO.Out, "No resources found")
			return nil
		}
		if !o.confirm(objects) {
			fmt.Fprintln(o.IO.Out, "deletion is cancelled")
			return nil
		}
		found = func(yield func(*resource.Object, error) bool) {
			for _, obj := range objects {
				if !yield(obj, nil) {
					return
				}
			}
		}
	}
	return o.deleteAll(ctx, client, found)
}

// gone is an object that was deleted, to wait for.
type gone struct {
	obj *resource.Object
	uid types.UID
}

func (o *Options) deleteAll(ctx context.Context, client *resource.Client, found func(func(*resource.Object, error) bool)) error {
	var errs []error
	var deleted []gone
	warn := client.NamespaceExplicit && !o.Query.AllNamespaces
	count := 0
	for obj, err := range found {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		count++
		if warn && !obj.Mapping.Namespaced {
			warn = false
			fmt.Fprintln(o.IO.ErrOut, "Warning: deleting cluster-scoped resources, not scoped to the provided namespace")
		}
		uid, err := o.deleteOne(ctx, client, obj)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		deleted = append(deleted, gone{obj, uid})
	}
	if errs = o.ignored(errs); len(errs) > 0 {
		return utilerrors.NewAggregate(errs)
	}
	if count == 0 {
		fmt.Fprintln(o.IO.Out, "No resources found")
		return nil
	}
	if !o.Wait || o.dry != cli.DryRunNone {
		return nil
	}
	return o.wait(ctx, client, deleted)
}

func (o *Options) ignored(errs []error) []error {
	if !o.Query.IgnoreNotFound {
		return errs
	}
	var out []error
	for _, err := range errs {
		if !apierrors.IsNotFound(err) {
			out = append(out, err)
		}
	}
	return out
}

func (o *Options) deleteOne(ctx context.Context, client *resource.Client, obj *resource.Object) (types.UID, error) {
	if o.dry == cli.DryRunClient {
		o.print(obj)
		return "", nil
	}
	opts := &metav1.DeleteOptions{PropagationPolicy: &o.policy}
	if o.GracePeriod >= 0 {
		opts.GracePeriodSeconds = new(int64(o.GracePeriod))
	}
	if o.dry == cli.DryRunServer {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	body, err := client.Delete(ctx, obj, opts)
	if err != nil {
		return "", resource.WithSource("deleting", obj.Source, err)
	}
	o.print(obj)
	var answer struct {
		Metadata metav1.ObjectMeta     `json:"metadata"`
		Details  *metav1.StatusDetails `json:"details"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return "", nil
	}
	if answer.Details != nil {
		return answer.Details.UID, nil
	}
	return answer.Metadata.UID, nil
}

func (o *Options) print(obj *resource.Object) {
	if o.Output == "name" {
		fmt.Fprintln(o.IO.Out, obj.KindName())
		return
	}
	kind := strings.TrimSuffix(obj.Mapping.KindName(""), "/")
	operation := "deleted"
	if o.GracePeriod == 0 {
		operation = "force deleted"
	}
	if obj.Namespaced() {
		operation += " from " + obj.Namespace + " namespace"
	}
	fmt.Fprintf(o.IO.Out, "%s %q %s\n", kind, obj.Name, o.dry.Operation(operation))
}

// forever is what kubectl waits where no timeout was given.
const forever = 168 * time.Hour

func (o *Options) wait(ctx context.Context, client *resource.Client, deleted []gone) error {
	timeout := o.Timeout
	if timeout == 0 {
		timeout = forever
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for _, g := range deleted {
		err := client.WaitDeleted(ctx, g.obj, g.uid)
		if apierrors.IsForbidden(err) || apierrors.IsMethodNotSupported(err) {
			return nil
		}
		if err != nil {
			return cli.Interrupted(ctx, err)
		}
	}
	return nil
}

func (o *Options) confirm(objects []*resource.Object) bool {
	fmt.Fprintf(o.IO.Out, "You are about to delete the following %d resource(s):\n", len(objects))
	for _, obj := range objects {
		fmt.Fprintln(o.IO.Out, obj.KindName())
	}
	fmt.Fprint(o.IO.Out, "Do you want to continue? (y/N): ")
	var answer string
	if _, err := fmt.Fscanln(o.IO.In, &answer); err != nil {
		return false
	}
	return strings.EqualFold(answer, "y")
}

func (o *Options) deleteRaw(ctx context.Context, client *resource.Client) error {
	var body []byte
	if len(o.Query.Filenames) == 1 {
		var err error
		if name := o.Query.Filenames[0]; name == "-" {
			body, err = io.ReadAll(o.IO.In)
		} else {
			body, err = os.ReadFile(name)
		}
		if err != nil {
			return err
		}
	}
	answer, err := client.Do(ctx, resource.Request{Method: http.MethodDelete, Path: o.Raw, Body: body})
	if err != nil {
		return err
	}
	_, err = o.IO.Out.Write(answer)
	return err
}
