// Package expose implements "skiff expose": a service in front of a workload, pod or other service.
package expose

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that expose goes by.
type Options struct {
	IO        cli.IOStreams
	Client    func() (*resource.Client, error)
	Namespace func() (string, bool, error)
	Query     resource.Query
	Print     printers.Options
	Service   settings

	Overrides, OverrideType string
	SaveConfig              bool
	FieldManager            string

	dryRun  string
	dry     cli.DryRun
	printer printers.Printer
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client, Namespace: f.Namespace}
	cmd := &cobra.Command{
		Use: "expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] " +
			"[--external-ip=external-ip-of-service] [--type=type]",
		Short: "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
		Long: `Make a service that leads to the pods of a deployment, replica set, replication controller or service, or to a pod.

The service selects what the object selects; a selector with expressions cannot be taken over. Without --port it listens on the
ports that the object has. Without --labels it gets the object's labels.`,
		Example: `
  # A deployment's pods on port 80; they listen on 8080
  skiff expose deployment web --port=80 --target-port=8080

  # With an address outside the cluster
  skiff expose deployment hello-world --type=LoadBalancer --name=my-service

  # A pod
  skiff expose pod redis --port=6379 --name=cache

  # A second service beside another
  skiff expose service web --port=443 --target-port=8443 --name=web-https`,
		ValidArgsFunction: cli.CompleteTypesAndNames(f, true),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(args); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	o.Print.AddFlags(fs)
	o.Service.addFlags(fs)
	o.Query.AddFileFlags(fs, "whose object to expose")
	fs.StringVar(&o.Overrides, "overrides", "", "JSON that is laid over the service.")
	fs.StringVar(&o.OverrideType, "override-type", "merge", "How it is laid over: merge, strategic or json (a JSON patch).")
	fs.BoolVar(&o.SaveConfig, "save-config", false, "Keep the object in an annotation, so that apply can be used later.")
	cli.AddDryRunFlag(fs, &o.dryRun)
	cli.AddFieldManagerFlag(fs, &o.FieldManager, "kubectl-expose")
	fs.Bool("record", false, "Of no effect any more.")
	fs.MarkHidden("record")
	return cmd
}

func (o *Options) parse(args []string) (err error) {
	if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
		return err
	}
	o.Query.Args = args
	o.printer, err = o.Print.Printer(o.dry.Operation("exposed"))
	return err
}

// Run makes the services.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	var errs []error
	for obj, err := range client.Find(ctx, o.Query) {
		if err == nil {
			err = o.one(ctx, client, obj)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return utilerrors.NewAggregate(errs)
}

func (o *Options) one(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	typed, kind, err := obj.Typed()
	if err != nil {
		return err
	}
	if kind.Expose == nil {
		return fmt.Errorf("cannot expose a %s", kind.GVK().GroupKind())
	}
	exposure, err := kind.Expose(typed)
	if err != nil && o.Service.selector == "" {
		return fmt.Errorf("couldn't retrieve selectors via --selector flag or introspection: %v", err)
	}
	name := obj.Name
	if len(name) > validation.DNS1035LabelMaxLength {
		name = name[:validation.DNS1035LabelMaxLength]
	}
	service, err := o.Service.service(name, exposure, obj.GetLabels())
	if err != nil {
		return err
	}
	if service, err = o.override(service); err != nil {
		return err
	}
	return o.create(ctx, client, service)
}

func (o *Options) override(s *corev1.Service) (*corev1.Service, error) {
	if o.Overrides == "" {
		return s, nil
	}
	kinds := map[string]types.PatchType{"merge": types.MergePatchType, "strategic": types.StrategicMergePatchType, "json": types.JSONPatchType}
	typ, ok := kinds[o.OverrideType]
	if !ok {
		return nil, fmt.Errorf("invalid override type: %v", o.OverrideType)
	}
	current, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	patched, err := resource.PatchLocally(s.GroupVersionKind(), current, []byte(o.Overrides), typ)
	if err != nil {
		return nil, err
	}
	out := &corev1.Service{}
	return out, json.Unmarshal(patched, out)
}

func (o *Options) create(ctx context.Context, client *resource.Client, s *corev1.Service) error {
	namespace, explicit, err := o.Namespace()
	if err != nil {
		return err
	}
	if o.dry == cli.DryRunClient {
		if explicit {
			s.Namespace = namespace
		}
		return o.printer.Print(s, o.IO.Out)
	}
	if o.SaveConfig {
		if err := resource.Annotate(s); err != nil {
			return err
		}
	}
	if s.Name == "" {
		return errors.New("name must be specified")
	}
	if err := client.CreateTyped(ctx, namespace, s, resource.WriteOptions{DryRun: o.dry == cli.DryRunServer, FieldManager: o.FieldManager}); err != nil {
		return err
	}
	return o.printer.Print(s, o.IO.Out)
}
