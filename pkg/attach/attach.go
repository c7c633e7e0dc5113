// Package attach implements "skiff attach": join the main process of a container that runs.
package attach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
	"github.com/kubeskiff/skiff/pkg/stream"
)

// DetachKeys let go of a container unless others are named.
const DetachKeys = "ctrl-p,ctrl-q"

// Options are everything that attach goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)

	Args              []string // POD, TYPE/NAME or TYPE NAME
	Container         string
	Stdin, TTY, Quiet bool
	DetachKeys        string
	PodTimeout        time.Duration
	// CommandPath is what the hint at the end calls this command.
	CommandPath string
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   "attach (POD | TYPE/NAME) -c CONTAINER",
		Short: "Attach to a running container",
		Long:  "Join the streams of a container's main process, which runs already.",
		Example: `
  # The output of a pod
  skiff attach redis

  # Of another container
  skiff attach redis -c metrics

  # With a terminal, both ways
  skiff attach shell -it

  # A pod of a replica set
  skiff attach rs/web`,
		ValidArgsFunction: cli.CompleteNames(f, "pods"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.CommandPath = cmd.CommandPath()
			if err := o.parse(cmd, args); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.DurationVar(&o.PodTimeout, "pod-running-timeout", time.Minute, "How long to wait until there is a pod.")
	fs.StringVarP(&o.Container, "container", "c", "", "Container; without it the one that the annotation "+resource.DefaultContainer+" names, else the first.")
	fs.BoolVarP(&o.Stdin, "stdin", "i", false, "Pass stdin on to the container.")
	fs.BoolVarP(&o.TTY, "tty", "t", false, "Stdin is a terminal.")
	fs.BoolVarP(&o.Quiet, "quiet", "q", false, "Print nothing but the container's output.")
	fs.StringVar(&o.DetachKeys, "detach-keys", DetachKeys, "Keys that let go of the container.")
	return cmd
}

// For gives the function by which run attaches to the pod that it made.
func For(f *cli.Factory) func(ctx context.Context, a cli.Attachment) error {
	return func(ctx context.Context, a cli.Attachment) error {
		client, err := f.Client()
		if err != nil {
			return err
		}
		o := &Options{
			IO: f.IO, Container: a.Container, Stdin: a.Stdin, TTY: a.TTY, Quiet: a.Quiet, DetachKeys: a.DetachKeys,
			CommandPath: f.Name + " attach",
		}
		var pod corev1.Pod
		if err := client.Get(ctx, a.Namespace, a.Pod, &pod); err != nil {
			return err
		}
		return o.attach(ctx, client, &pod)
	}
}

func (o *Options) parse(cmd *cobra.Command, args []string) error {
	switch o.Args = args; {
	case o.PodTimeout <= 0:
		return cli.UsageErrorf(cmd, "--pod-running-timeout must be higher than zero")
	case len(args) == 0:
		return errors.New("at least 1 argument is required for attach")
	case len(args) > 2:
		return fmt.Errorf("expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw %d: %v", len(args), args)
	}
	return nil
}

// Run attaches.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	q := resource.Query{Args: o.Args}
	if len(o.Args) == 1 {
		q = resource.PodArg(o.Args[0])
	}
	obj, err := client.Single(ctx, q)
	if err != nil {
		return err
	}
	pod, err := client.PodOf(ctx, obj, o.PodTimeout)
	if err != nil {
		return err
	}
	if phase := pod.Status.Phase; phase == corev1.PodSucceeded || phase == corev1.PodFailed {
		return fmt.Errorf("cannot attach a container in a completed pod; current phase is %s", phase)
	}
	return o.attach(ctx, client, pod)
}

func (o *Options) attach(ctx context.Context, client *resource.Client, pod *corev1.Pod) error {
	var warn io.Writer
	if !o.Quiet {
		warn = o.IO.ErrOut
	}
	container, err := resource.ChooseContainer(pod, o.Container, warn)
	if err != nil {
		return fmt.Errorf("cannot attach to the container: %v", err)
	}
	s, err := o.streams(container)
	if err != nil {
		return err
	}
	if !o.Quiet {
		fmt.Fprintln(o.IO.ErrOut, "All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.")
		fmt.Fprintln(o.IO.ErrOut, "If you don't see a command prompt, try pressing enter.")
	}
	if err := o.join(ctx, client, pod, container.Name, s); err != nil {
		return err
	}
	if !o.Quiet && s.Terminal != nil {
		fmt.Fprintln(o.IO.Out, o.hint(pod, container.Name))
	}
	return nil
}

// streams says what the container is joined to. One that was started with a terminal must be joined with one.
func (o *Options) streams(container *corev1.Container) (stream.Streams, error) {
	if o.TTY && !container.TTY && !o.Quiet {
		fmt.Fprintf(o.IO.ErrOut, "error: Unable to use a TTY - container %s did not allocate one\n", container.Name)
	}
	s := stream.Streams{Out: o.IO.Out, Err: o.IO.ErrOut}
	if !o.Stdin {
		return s, nil
	}
	s.In = o.IO.In
	if !container.TTY {
		return s, nil
	}
	if s.Terminal = stream.NewTerminal(o.IO.In, o.IO.Out); s.Terminal == nil {
		if !o.Quiet {
			fmt.Fprintln(o.IO.ErrOut, "Unable to use a TTY - input is not a terminal or the right kind of file")
		}
		return s, nil
	}
	s.Terminal.Redraw = true
	keys := o.DetachKeys
	if keys == "" {
		keys = DetachKeys
	}
	in, err := stream.Detachable(s.In, keys)
	if err != nil {
		return s, fmt.Errorf("could not bind detach keys: %w", err)
	}
	s.In = in
	return s, nil
}

func (o *Options) join(ctx context.Context, client *resource.Client, pod *corev1.Pod, container string, s stream.Streams) error {
	query := url.Values{"container": {container}, "stdout": {"true"}}
	if s.In != nil {
		query.Set("stdin", "true")
	}
	if s.Terminal == nil {
		query.Set("stderr", "true")
	} else {
		query.Set("tty", "true")
	}
	u, err := client.URL(ctx, "/api/v1/namespaces/"+pod.Namespace+"/pods/"+pod.Name+"/attach", query)
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

// hint says how to come back.
func (o *Options) hint(pod *corev1.Pod, container string) string {
	again := fmt.Sprintf("%s %s -c %s -n %s -i -t", o.CommandPath, pod.Name, container, pod.Namespace)
	if _, path := resource.FindContainer(pod, container); strings.HasPrefix(path, "spec.ephemeralContainers") {
		return fmt.Sprintf("Session ended, the ephemeral container will not be restarted but may be reattached using '%s' if it is still running", again)
	}
	return fmt.Sprintf("Session ended, resume using '%s' command", again)
}
