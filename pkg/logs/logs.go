// Package logs implements "skiff logs": what containers wrote.
package logs

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

const use = "logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]"

// Options are everything that logs goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)

	Target, Container      string
	Selector               string
	AllContainers, AllPods bool
	Follow, Previous       bool
	Timestamps, Prefix     bool
	IgnoreErrors           bool
	InsecureBackend        bool
	LimitBytes, Tail       int64
	Since                  time.Duration
	SinceTime              string
	PodTimeout             time.Duration
	MaxRequests            int

	query url.Values
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Print the logs for a container in a pod",
		Long:  "Print what a container wrote on its outputs. A pod with a single container needs no container's name.",
		Example: `
  # All of it
  skiff logs redis

  # The last lines, and what comes
  skiff logs -f --tail=20 redis

  # The run before the present one
  skiff logs -p -c ruby web-1

  # All containers of the pods with a label
  skiff logs -l app=web --all-containers

  # All pods of a deployment
  skiff logs deployment/web --all-pods

  # What was written within the last hour
  skiff logs --since=1h redis`,
		ValidArgsFunction: cli.CompleteNames(f, "pods"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(cmd, args); err != nil {
				return err
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&o.AllPods, "all-pods", false, "The logs of all pods, with --prefix.")
	fs.BoolVar(&o.AllContainers, "all-containers", false, "The logs of all containers.")
	fs.BoolVarP(&o.Follow, "follow", "f", false, "Go on with what is written from now on.")
	fs.BoolVar(&o.Timestamps, "timestamps", false, "Begin each line with its time.")
	fs.Int64Var(&o.LimitBytes, "limit-bytes", 0, "Most bytes to print; 0 for no limit.")
	fs.BoolVarP(&o.Previous, "previous", "p", false, "The log of the container's run before the present one.")
	fs.Int64Var(&o.Tail, "tail", -1, "How many lines from the end; all by default, 10 with a selector.")
	fs.BoolVar(&o.IgnoreErrors, "ignore-errors", false, "Go on when a log cannot be read.")
	fs.StringVar(&o.SinceTime, "since-time", "", "Only what was written after this time (RFC3339).")
	fs.DurationVar(&o.Since, "since", 0, "Only what was written within this time: 5s, 2m, 3h.")
	fs.StringVarP(&o.Container, "container", "c", "", "Container whose log to print.")
	fs.BoolVar(&o.InsecureBackend, "insecure-skip-tls-verify-backend", false, "Let the API server not check the certificate of the kubelet.")
	fs.DurationVar(&o.PodTimeout, "pod-running-timeout", 20*time.Second, "How long to wait until there is a pod.")
	fs.StringVarP(&o.Selector, "selector", "l", "", "Labels of the pods: key=value, key!=value, 'key in (a,b)', key; joined by commas.")
	fs.IntVar(&o.MaxRequests, "max-log-requests", 5, "How many logs may be followed at the same time.")
	fs.BoolVar(&o.Prefix, "prefix", false, "Begin each line with the pod and container that wrote it.")
	return cmd
}

func (o *Options) parse(cmd *cobra.Command, args []string) error {
	named := cmd.Flags().Changed("container")
	switch n := len(args); {
	case n > 2 || n == 0 && o.Selector == "":
		return cli.UsageErrorf(cmd, "expected '%s'.\nPOD or TYPE/NAME is a required argument for the logs command", use)
	case n == 1 && o.Selector != "":
		return cli.UsageErrorf(cmd, "only a selector (-l) or a POD name is allowed")
	case n == 2 && named:
		return errors.New("only one of -c or an inline [CONTAINER] arg is allowed")
	case n == 2:
		o.Target, o.Container = args[0], args[1]
	case n == 1:
		o.Target = args[0]
	}
	o.Prefix = o.Prefix || o.AllPods
	if o.Selector != "" && o.Tail == -1 && !cmd.Flags().Changed("tail") {
		o.Tail = 10
	}
	return o.makeQuery()
}

// makeQuery writes the options that are the server's.
func (o *Options) makeQuery() error {
	switch {
	case o.PodTimeout <= 0:
		return errors.New("--pod-running-timeout must be higher than zero")
	case o.SinceTime != "" && o.Since != 0:
		return errors.New("at most one of `sinceTime` or `sinceSeconds` may be specified")
	case o.AllContainers && o.Container != "":
		return fmt.Errorf("--all-containers=true should not be specified with container name %s", o.Container)
	case o.LimitBytes < 0:
		return errors.New("--limit-bytes must be greater than 0")
	case o.Since < 0:
		return errors.New("--since must be greater than 0")
	case o.Tail < -1:
		return errors.New("--tail must be greater than or equal to -1")
	}
	q := url.Values{}
	flag := func(name string, on bool) {
		if on {
			q.Set(name, "true")
		}
	}
	flag("follow", o.Follow)
	flag("previous", o.Previous)
	flag("timestamps", o.Timestamps)
	flag("insecureSkipTLSVerifyBackend", o.InsecureBackend)
	if o.SinceTime != "" {
		t, err := time.Parse(time.RFC3339, o.SinceTime)
		if err != nil {
			return err
		}
		q.Set("sinceTime", t.UTC().Format(time.RFC3339))
	}
	if o.Since != 0 {
		q.Set("sinceSeconds", strconv.FormatInt(int64(o.Since.Round(time.Second).Seconds()), 10))
	}
	if o.LimitBytes != 0 {
		q.Set("limitBytes", strconv.FormatInt(o.LimitBytes, 10))
	}
	if o.Tail != -1 {
		q.Set("tailLines", strconv.FormatInt(o.Tail, 10))
	}
	o.query = q
	return nil
}

// Run prints the logs.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	sources, err := o.sources(ctx, client)
	if err != nil {
		return err
	}
	if o.Follow && len(sources) > o.MaxRequests && len(sources) > 1 {
		return fmt.Errorf("you are attempting to follow %d log streams, but maximum allowed concurrency is %d, use --max-log-requests to increase the limit", len(sources), o.MaxRequests)
	}
	err = o.print(ctx, client, sources)
	if ctx.Err() != nil {
		return cli.ErrExit
	}
	return err
}

// notFound says in which namespace a pod was looked for.
func notFound(err error, namespace string) error {
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("error from server (NotFound): %w in namespace %q", err, namespace)
	}
	return err
}
