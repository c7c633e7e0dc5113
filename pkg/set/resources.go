package set

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
)

type resources struct {
	options
	limits, requests, containers string
}

func newResources(f *cli.Factory) *cobra.Command {
	o := &resources{options: options{done: "resource requirements updated", failure: "failed to patch resources update to pod template"}}
	cmd := o.command(f, &cobra.Command{
		Use:   "resources (-f FILENAME | TYPE NAME)  ([--limits=LIMITS & --requests=REQUESTS]",
		Short: "Update resource requests/limits on objects with pod templates",
		Long: `Say what containers need of CPU, memory and other resources, and what they may take at most. A limit without a request is
also the request.`,
		Example: `
  # Limits of one container
  skiff set resources deployment web -c=nginx --limits=cpu=200m,memory=512Mi

  # Of all containers
  skiff set resources deployment web --limits=cpu=200m,memory=512Mi --requests=cpu=100m,memory=256Mi

  # Only a manifest
  skiff set resources -f web.yaml --limits=cpu=200m --local -o yaml`,
	}, o.run)
	fs := cmd.Flags()
	o.query.AddSelectorFlag(fs)
	fs.StringVarP(&o.containers, "containers", "c", "*", "Names of the containers, in which * stands for anything.")
	fs.StringVar(&o.limits, "limits", "", "The most that containers may take, such as cpu=100m,memory=256Mi.")
	fs.StringVar(&o.requests, "requests", "", "What containers need, such as cpu=100m,memory=256Mi.")
	addRecordFlag(cmd)
	return cmd
}

func (o *resources) run(ctx context.Context, args []string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.query.All && o.query.LabelSelector != "" {
		return errors.New("cannot set --all and --selector at the same time")
	}
	objects, err := o.find(ctx, client, args)
	if err != nil {
		return err
	}
	switch {
	case o.query.Local && o.dry == cli.DryRunServer:
		return errLocalServer
	case o.limits == "" && o.requests == "":
		return errors.New("you must specify an update to requests or limits (in the form of --requests/--limits)")
	}
	limits, err := parseResources(o.limits)
	if err != nil {
		return err
	}
	requests, err := parseResources(o.requests)
	if err != nil {
		return err
	}
	return o.change(ctx, client, objects, func(_ api.Object, spec *corev1.PodSpec) []error {
		list := matching(spec, o.containers)
		if len(list) == 0 {
			return []error{fmt.Errorf("error: unable to find container named %s", o.containers)}
		}
		for _, c := range list {
			merge(&c.Resources.Limits, limits)
			merge(&c.Resources.Requests, requests)
		}
		return nil
	})
}

func merge(into *corev1.ResourceList, from corev1.ResourceList) {
	if *into == nil && len(from) > 0 {
		*into = corev1.ResourceList{}
	}
	maps.Copy(*into, from)
}

// parseResources reads NAME=QUANTITY pairs by comma.
func parseResources(text string) (corev1.ResourceList, error) {
	if text == "" {
		return nil, nil
	}
	out := corev1.ResourceList{}
	for pair := range strings.SplitSeq(text, ",") {
		parts := strings.Split(pair, "=")
		if len(parts) != 2 {
			return nil, fmt.Errorf("invalid argument syntax %v, expected <resource>=<value>", pair)
		}
		q, err := resource.ParseQuantity(parts[1])
		if err != nil {
			return nil, err
		}
		out[corev1.ResourceName(parts[0])] = q
	}
	return out, nil
}
