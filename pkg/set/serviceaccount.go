package set

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
)

func newServiceAccount(f *cli.Factory) *cobra.Command {
	o := &options{done: "serviceaccount updated", failure: "failed to patch ServiceAccountName", always: true}
	cmd := o.command(f, &cobra.Command{
		Use:     "serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT",
		Aliases: []string{"sa"},
		Short:   "Update the service account of a resource",
		Long:    "Say as which service account pods speak to the API server.",
		Example: `
  # Of a deployment
  skiff set serviceaccount deployment web robot

  # Only a manifest
  skiff set sa -f web.yaml robot --local --dry-run=client -o yaml`,
	}, func(ctx context.Context, args []string) error { return o.serviceAccount(ctx, args) })
	addRecordFlag(cmd)
	return cmd
}

func (o *options) serviceAccount(ctx context.Context, args []string) error {
	switch {
	case o.query.Local && o.dry == cli.DryRunServer:
		return errLocalServer
	case len(args) == 0:
		return errors.New("serviceaccount is required")
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	name := args[len(args)-1]
	objects, err := o.find(ctx, client, args[:len(args)-1])
	if err != nil {
		return err
	}
	return o.change(ctx, client, objects, func(_ api.Object, spec *corev1.PodSpec) []error {
		spec.ServiceAccountName = name
		return nil
	})
}
