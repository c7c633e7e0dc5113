package set

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

func newImage(f *cli.Factory) *cobra.Command {
	o := &options{done: "image updated", failure: "failed to patch image update to pod template:"}
	cmd := o.command(f, &cobra.Command{
		Use:   "image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N",
		Short: "Update the image of a pod template",
		Long:  "Give containers of pods, or of what makes pods, other images. * stands for all containers.",
		Example: `
  # Two containers of a deployment
  skiff set image deployment/web web=nginx:1.29 proxy=envoy:2

  # All deployments
  skiff set image deployments nginx=nginx:1.29 --all

  # All containers
  skiff set image daemonset logs *=fluent:3

  # Only a manifest
  skiff set image -f web.yaml nginx=nginx:1.29 --local -o yaml`,
	}, func(ctx context.Context, args []string) error { return o.images(ctx, args) })
	o.query.AddSelectorFlag(cmd.Flags())
	addRecordFlag(cmd)
	return cmd
}

func (o *options) images(ctx context.Context, args []string) error {
	names, pairs, err := resource.SplitPairs(args, "image")
	if err != nil {
		return err
	}
	images, err := parseImages(pairs)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.query.All && o.query.LabelSelector != "" {
		return o.checkImages(names, images)
	}
	objects, err := o.find(ctx, client, names)
	if err != nil {
		return err
	}
	if err := o.checkImages(names, images); err != nil {
		return err
	}
	return o.change(ctx, client, objects, func(_ api.Object, spec *corev1.PodSpec) []error { return setImages(spec, images) })
}

// parseImages reads CONTAINER=IMAGE pairs.
func parseImages(pairs []string) (map[string]string, error) {
	images := map[string]string{}
	var invalid []string
	for _, pair := range pairs {
		name, image, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			invalid = append(invalid, pair)
			continue
		}
		images[name] = image
	}
	if len(invalid) > 0 {
		return nil, fmt.Errorf("invalid image format: %s", strings.Join(invalid, ", "))
	}
	return images, nil
}

func (o *options) checkImages(names []string, images map[string]string) error {
	var errs []error
	if o.query.All && o.query.LabelSelector != "" {
		errs = append(errs, errors.New("cannot set --all and --selector at the same time"))
	}
	if len(names) == 0 && !o.query.FromFiles() {
		errs = append(errs, errors.New("one or more resources must be specified as <resource> <name> or <resource>/<name>"))
	}
	if _, all := images["*"]; all && len(images) > 1 {
		errs = append(errs, errors.New("all containers are already specified by *, but saw more than one container_name=container_image pairs"))
	} else if len(images) == 0 {
		errs = append(errs, errors.New("at least one image update is required"))
	}
	if o.query.Local && o.dry == cli.DryRunServer {
		errs = append(errs, errLocalServer)
	}
	return utilerrors.NewAggregate(errs)
}

func setImages(spec *corev1.PodSpec, images map[string]string) (errs []error) {
	for _, name := range slices.Sorted(maps.Keys(images)) {
		found := false
		for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
			for i := range list {
				if list[i].Name == name || name == "*" {
					list[i].Image, found = images[name], true
				}
			}
		}
		if !found {
			errs = append(errs, fmt.Errorf("error: unable to find container named %q", name))
		}
	}
	return errs
}
