package create

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilrand "k8s.io/apimachinery/pkg/util/rand"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
)

type deployment struct {
	images         []string
	port, replicas int32
}

func newDeployment(f *cli.Factory) *cobra.Command {
	d := &deployment{}
	return generator{
		use: "deployment NAME --image=image -- [COMMAND] [args...]", aliases: []string{"deploy"},
		short: "Create a deployment with the specified name",
		long:  "Make a deployment that runs one or more images.",
		example: `
  # Three replicas of an image
  skiff create deployment web --image=nginx --replicas=3

  # With a port
  skiff create deployment web --image=nginx --port=80

  # With a command of its own
  skiff create deployment sleeper --image=busybox -- sleep 3600`,
		required: []string{"image"}, failure: "failed to create deployment: %v",
		flags: func(fs *pflag.FlagSet) {
			fs.StringSliceVar(&d.images, "image", nil, "Images to run, a container for each.")
			fs.Int32Var(&d.port, "port", -1, "Port that the container listens on.")
			fs.Int32VarP(&d.replicas, "replicas", "r", 1, "How many pods.")
		},
		make: d.make,
	}.command(f)
}

func (d *deployment) make(name string, command []string) (api.Object, error) {
	if len(d.images) > 1 && len(command) > 0 {
		return nil, fmt.Errorf("cannot specify multiple --image options and command")
	}
	labels := map[string]string{"app": name}
	obj := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &d.replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}},
		},
	}
	spec := &obj.Spec.Template.Spec
	for _, image := range d.images {
		spec.Containers = append(spec.Containers, corev1.Container{Name: containerName(image), Image: image, Command: command})
	}
	if d.port >= 0 && len(spec.Containers) > 0 {
		spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: d.port}}
	}
	return obj, nil
}

// containerName makes a name of an image's last part; one with characters that names lack gets a random end.
func containerName(image string) string {
	name := image[strings.LastIndex(image, "/")+1:]
	name, _, _ = strings.Cut(name, ":")
	name, _, _ = strings.Cut(name, "@")
	if strings.ContainsAny(name, "_.") {
		name = strings.NewReplacer("_", "-", ".", "-").Replace(name) + "-" + utilrand.String(5)
	}
	return name
}
