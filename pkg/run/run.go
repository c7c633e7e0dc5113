// Package run implements "skiff run": start a pod of one image, and stay attached to it if asked to.
package run

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that run goes by.
type Options struct {
	IO        cli.IOStreams
	Client    func() (*resource.Client, error)
	Namespace func() (string, bool, error)
	AttachTo  func(ctx context.Context, a cli.Attachment) error
	Print     printers.Options

	Name                       string
	Args                       []string
	Image, Port                string
	Annotations, Env           []string
	Labels                     string
	Restart, PullPolicy        string
	Stdin, TTY, Attach, Remove bool
	LeaveStdinOpen, Command    bool
	Expose, Quiet, Privileged  bool
	SaveConfig                 bool
	Overrides, OverrideType    string
	DetachKeys                 string
	PodTimeout                 time.Duration
	FieldManager               string

	dryRun  string
	dry     cli.DryRun
	printer printers.Printer
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client, Namespace: f.Namespace}
	cmd := &cobra.Command{
		Use:   `run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]`,
		Short: "Run a particular image on the cluster",
		Long:  "Start a pod with one container. With -i or --attach the command stays with it until it ends.",
		Example: `
  # A web server
  skiff run web --image=nginx --port=80

  # With environment and labels
  skiff run web --image=nginx --env="MODE=fast" --labels="app=web,tier=front"

  # A shell that is gone afterwards
  skiff run -it --rm shell --image=busybox --restart=Never -- sh

  # Only the manifest
  skiff run web --image=nginx --dry-run=client -o yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.AttachTo = f.Attach
			if o.Stdin && !cmd.Flags().Changed("attach") {
				o.Attach = true
			}
			if len(args) == 0 || cmd.ArgsLenAtDash() == 0 {
				args = nil
			}
			if err := o.parse(args); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	o.addFlags(cmd)
	return cmd
}

func (o *Options) addFlags(cmd *cobra.Command) {
	fs := cmd.Flags()
	o.Print.AddFlags(fs)
	fs.StringVar(&o.Image, "image", "", "Image to run.")
	cmd.MarkFlagRequired("image")
	fs.StringArrayVar(&o.Annotations, "annotations", nil, "Annotation of the pod: key=value. May be given more than once.")
	fs.StringArrayVar(&o.Env, "env", nil, "Environment variable: key=value. May be given more than once.")
	fs.StringVarP(&o.Labels, "labels", "l", "", "Labels of the pod by comma; run=NAME by default.")
	fs.StringVar(&o.Port, "port", "", "Port that the container listens on.")
	fs.StringVar(&o.Restart, "restart", "Always", "When to start the container again: Always, OnFailure or Never.")
	fs.StringVar(&o.PullPolicy, "image-pull-policy", "", "When to pull the image: Always, IfNotPresent or Never. The server decides by default.")
	fs.BoolVarP(&o.Stdin, "stdin", "i", false, "Keep the container's stdin open, and attach to it.")
	fs.BoolVarP(&o.TTY, "tty", "t", false, "Give the container a terminal.")
	fs.BoolVar(&o.Attach, "attach", false, "Attach to the container when it runs. With --restart=Never its exit code is returned.")
	fs.BoolVar(&o.Remove, "rm", false, "Delete the pod when it has ended. For attached containers only.")
	fs.BoolVar(&o.LeaveStdinOpen, "leave-stdin-open", false, "Keep stdin open after the first attachment ends.")
	fs.BoolVar(&o.Command, "command", false, "What follows -- is the command, not its arguments.")
	fs.BoolVar(&o.Expose, "expose", false, "Make a service for the pod. Needs --port.")
	fs.BoolVarP(&o.Quiet, "quiet", "q", false, "Say nothing about attaching and deleting.")
	fs.BoolVar(&o.Privileged, "privileged", false, "Run the container privileged.")
	fs.StringVar(&o.DetachKeys, "detach-keys", "ctrl-p,ctrl-q", "Keys that end the attachment and leave the container running.")
	fs.StringVar(&o.Overrides, "overrides", "", "JSON that is laid over the pod.")
	fs.StringVar(&o.OverrideType, "override-type", "merge", "How it is laid over: merge, strategic or json (a JSON patch).")
	fs.BoolVar(&o.SaveConfig, "save-config", false, "Keep the object in an annotation, so that apply can be used later.")
	fs.DurationVar(&o.PodTimeout, "pod-running-timeout", time.Minute, "How long to wait until the pod runs.")
	cli.AddDryRunFlag(fs, &o.dryRun)
	cli.AddFieldManagerFlag(fs, &o.FieldManager, "kubectl-run")

	// Flags that kubectl takes and that mean nothing here.
	fs.String("cascade", "background", "How --rm deletes.")
	fs.Lookup("cascade").NoOptDefVal = "background"
	fs.Bool("force", false, "Of no effect.")
	fs.Int("grace-period", -1, "Of no effect.")
	fs.Duration("timeout", 0, "Of no effect.")
	fs.Bool("wait", false, "Of no effect.")
	fs.StringSliceP("filename", "f", nil, "Of no effect.")
	fs.MarkHidden("filename")
	fs.StringP("kustomize", "k", "", "Of no effect.")
	fs.BoolP("recursive", "R", false, "Of no effect.")
	fs.Bool("record", false, "Of no effect any more.")
	fs.MarkHidden("record")
}

// imageName is what may stand for an image: a path with an optional registry, tag and digest.
var imageName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?/)?` +
		`[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,})?$`)
})

func (o *Options) parse(args []string) (err error) {
	if o.dry, err = cli.ParseDryRun(o.dryRun); err != nil {
		return err
	}
	if o.printer, err = o.Print.Printer(o.dry.Operation("created")); err != nil {
		return err
	}
	switch o.Restart {
	case "", "Always", "OnFailure", "Never":
	default:
		return fmt.Errorf("invalid restart policy: %s, valid values are: Always, OnFailure, Never", o.Restart)
	}
	switch o.PullPolicy {
	case "", "Always", "IfNotPresent", "Never":
	default:
		return fmt.Errorf("invalid image pull policy: %s, valid values are: Always, IfNotPresent, Never", o.PullPolicy)
	}
	switch _, notNumber := strconv.Atoi(o.Port); {
	case len(args) == 0:
		return fmt.Errorf("NAME is required for run")
	case o.Image == "":
		return fmt.Errorf("--image is required")
	case !imageName().MatchString(o.Image):
		return fmt.Errorf("invalid image name %q: invalid reference format", o.Image)
	case o.TTY && !o.Stdin:
		return fmt.Errorf("-i/--stdin is required for containers with -t/--tty=true")
	case o.Expose && o.Port == "":
		return fmt.Errorf("--port must be set when exposing a service")
	case o.Port != "" && notNumber != nil:
		return fmt.Errorf("--port must be a number")
	case !o.Attach && o.Remove:
		return fmt.Errorf("--rm should only be used for attached containers")
	case o.Attach && o.dry != cli.DryRunNone:
		return fmt.Errorf("--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)")
	}
	o.Name, o.Args = args[0], args[1:]
	return nil
}

// Run creates the pod, and the service if asked for.
func (o *Options) Run(ctx context.Context) error {
	pod, err := o.pod()
	if err != nil {
		return err
	}
	namespace, explicit, err := o.Namespace()
	if err != nil {
		return err
	}
	objects := []api.Object{pod}
	if o.Expose {
		objects = append(objects, o.service(pod.Labels))
	}
	var made []api.Object
	var errs []error
	for _, obj := range objects {
		if explicit {
			obj.SetNamespace(namespace)
		}
		if err := o.create(ctx, namespace, obj); err != nil {
			if obj == pod {
				return err
			}
			errs = append(errs, err)
			continue
		}
		made = append(made, obj)
	}
	if o.Attach {
		return o.attach(ctx, namespace, pod, made)
	}
	for _, obj := range made {
		if err := o.printer.Print(obj, o.IO.Out); err != nil {
			errs = append(errs, err)
		}
	}
	return utilerrors.NewAggregate(errs)
}

func (o *Options) create(ctx context.Context, namespace string, obj api.Object) error {
	if o.SaveConfig {
		if err := resource.Annotate(obj); err != nil {
			return err
		}
	}
	if o.dry == cli.DryRunClient {
		return nil
	}
	client, err := o.Client()
	if err != nil {
		return err
	}
	return client.CreateTyped(ctx, namespace, obj, resource.WriteOptions{DryRun: o.dry == cli.DryRunServer, FieldManager: o.FieldManager})
}

func (o *Options) service(labels map[string]string) api.Object {
	port, _ := strconv.ParseInt(o.Port, 10, 32)
	return &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: metav1.ObjectMeta{Name: o.Name},
		Spec: corev1.ServiceSpec{
			Selector: labels,
			Ports:    []corev1.ServicePort{{Port: int32(port), Protocol: corev1.ProtocolTCP}},
		},
	}
}

// pairs reads key=value lists.
func pairs(list []string, what string) (map[string]string, error) {
	var out map[string]string
	for _, p := range list {
		key, value, ok := strings.Cut(p, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%s: %s", what, p)
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = value
	}
	return out, nil
}
