// Package exec implements "skiff exec": run a command in a container.
package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
	"github.com/kubeskiff/skiff/pkg/stream"
)

// Options are everything that exec goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)

	Target     string // POD or TYPE/NAME
	Filenames  []string
	Container  string
	Command    []string
	Stdin, TTY bool
	Quiet      bool
	PodTimeout time.Duration
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   "exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
		Short: "Execute a command in a container",
		Long:  "Run a command in a container of a running pod. Its exit code becomes this command's own.",
		Example: `
  # In the first container of a pod
  skiff exec redis -- date

  # In another container
  skiff exec redis -c metrics -- date

  # A shell
  skiff exec redis -it -- sh

  # Flags after -- belong to the command
  skiff exec redis -- ls -t /usr

  # In a pod of a deployment or service
  skiff exec deploy/web -- date
  skiff exec svc/web -- date`,
		ValidArgsFunction: cli.CompleteNames(f, "pods"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(cmd, args); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.DurationVar(&o.PodTimeout, "pod-running-timeout", time.Minute, "How long to wait until there is a pod.")
	fs.StringSliceVarP(&o.Filenames, "filename", "f", nil, "File, directory or URL with the manifest of the object to go by.")
	fs.StringVarP(&o.Container, "container", "c", "", "Container; without it the one that the annotation "+resource.DefaultContainer+" names, else the first.")
	fs.BoolVarP(&o.Stdin, "stdin", "i", false, "Pass stdin on to the command.")
	fs.BoolVarP(&o.TTY, "tty", "t", false, "Give the command a terminal.")
	fs.BoolVarP(&o.Quiet, "quiet", "q", false, "Print nothing but the command's output.")
	return cmd
}

func (o *Options) parse(cmd *cobra.Command, args []string) error {
	dash := cmd.ArgsLenAtDash()
	if len(args) > 0 && dash != 0 {
		o.Target = args[0]
	}
	switch {
	case dash == 0 || dash == 1:
		o.Command = args[dash:]
	case len(args) > 1 || len(args) > 0 && len(o.Filenames) > 0:
		return cli.UsageErrorf(cmd, "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead")
	}
	switch {
	case o.PodTimeout <= 0:
		return cli.UsageErrorf(cmd, "--pod-running-timeout must be higher than zero")
	case o.Target == "" && len(o.Filenames) == 0:
		return errors.New("pod, type/name or --filename must be specified")
	case len(o.Command) == 0:
		return errors.New("you must specify at least one command for the container")
	}
	return nil
}

// Run runs the command.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	pod, err := o.pod(ctx, client)
	if err != nil {
		return err
	}
	if phase := pod.Status.Phase; phase == corev1.PodSucceeded || phase == corev1.PodFailed {
		return fmt.Errorf("cannot exec into a container in a completed pod; current phase is %s", phase)
	}
	var warn io.Writer
	if !o.Quiet {
		warn = o.IO.ErrOut
	}
	container, err := resource.ChooseContainer(pod, o.Container, warn)
	if err != nil {
		return err
	}
	s := o.streams()
	query := url.Values{"container": {container.Name}, "command": o.Command, "stdout": {"true"}}
	if o.Stdin {
		query.Set("stdin", "true")
	}
	if s.Terminal == nil {
		query.Set("stderr", "true")
	} else {
		query.Set("tty", "true")
	}
	return o.join(ctx, client, pod, query, s)
}

func (o *Options) join(ctx context.Context, client *resource.Client, pod *corev1.Pod, query url.Values, s stream.Streams) error {
	u, err := client.URL(ctx, "/api/v1/namespaces/"+pod.Namespace+"/pods/"+pod.Name+"/exec", query)
	if err != nil {
		return err
	}
	config, err := client.RESTConfig(ctx)
	if err != nil {
		return err
	}
	err = stream.Run(ctx, config, u, s)
	if code, failed := stream.ExitCode(err); failed {
		fmt.Fprintln(o.IO.ErrOut, err)
		return &cli.ExitError{Code: code}
	}
	return err
}

func (o *Options) pod(ctx context.Context, client *resource.Client) (*corev1.Pod, error) {
	if len(o.Filenames) == 0 {
		if pod, err := client.PodNamed(ctx, o.Target); pod != nil || err != nil {
			return pod, err
		}
	}
	q := resource.Query{Filenames: o.Filenames, Latest: true}
	if o.Target != "" {
		q = resource.PodArg(o.Target)
		q.Filenames = o.Filenames
	}
	objects, errs := client.All(ctx, q)
	switch {
	case len(errs) > 0:
		return nil, errs[0]
	case len(objects) != 1:
		return nil, errors.New("cannot exec into multiple objects at a time")
	}
	return client.PodOf(ctx, objects[0], o.PodTimeout)
}

// streams says what the command is joined to. A terminal is needed on both sides.
func (o *Options) streams() stream.Streams {
	s := stream.Streams{Out: o.IO.Out, Err: o.IO.ErrOut}
	if !o.Stdin {
		return s
	}
	s.In = o.IO.In
	if !o.TTY {
		return s
	}
	if s.Terminal = stream.NewTerminal(o.IO.In, o.IO.Out); s.Terminal == nil && !o.Quiet {
		fmt.Fprintln(o.IO.ErrOut, "Unable to use a TTY - input is not a terminal or the right kind of file")
	}
	return s
}
