// Package portforward implements "skiff port-forward": local ports that lead to a pod's.
package portforward

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
	"github.com/kubeskiff/skiff/pkg/stream"
)

// Options are everything that port-forward goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)

	Target     string // TYPE/NAME or POD
	Ports      []string
	Addresses  []string
	PodTimeout time.Duration
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client}
	cmd := &cobra.Command{
		Use:   "port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]",
		Short: "Forward one or more local ports to a pod",
		Long: `Listen on local ports and pass each connection on to a port of a pod.

Of a workload or service one pod is chosen, and a service's port leads to the port of the pod behind it. When that pod ends, so
does the command.`,
		Example: `
  # 5000 and 6000, here and there
  skiff port-forward pod/web 5000 6000

  # 8080 here, the service's port 80 there
  skiff port-forward svc/web 8080:80

  # A port by name
  skiff port-forward service/web 8443:https

  # On all addresses of this machine
  skiff port-forward --address 0.0.0.0 pod/web 8888:5000

  # Any free port here
  skiff port-forward pod/web :5000`,
		ValidArgsFunction: cli.CompleteNames(f, "pods"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return cli.UsageErrorf(cmd, "TYPE/NAME and list of ports are required for port-forward")
			}
			if o.PodTimeout <= 0 {
				return cli.UsageErrorf(cmd, "--pod-running-timeout must be higher than zero")
			}
			o.Target, o.Ports = args[0], args[1:]
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.DurationVar(&o.PodTimeout, "pod-running-timeout", time.Minute, "How long to wait until there is a pod.")
	fs.StringSliceVar(&o.Addresses, "address", []string{"localhost"}, "Addresses to listen on by comma: IP addresses, or localhost for 127.0.0.1 and ::1, of which one is enough.")
	return cmd
}

// Run forwards until it is interrupted or the pod is gone.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	obj, err := client.Single(ctx, resource.PodArg(o.Target))
	if err != nil {
		return err
	}
	pod, err := client.PodOf(ctx, obj, o.PodTimeout)
	if err != nil {
		return err
	}
	lookup, err := portsOf(obj, pod)
	if err != nil {
		return err
	}
	ports, err := translate(o.Ports, lookup)
	if err != nil {
		return err
	}
	if pod.Status.Phase != corev1.PodRunning {
		return fmt.Errorf("unable to forward port because pod is not running. Current status=%v", pod.Status.Phase)
	}
	u, err := client.URL(ctx, "/api/v1/namespaces/"+pod.Namespace+"/pods/"+pod.Name+"/portforward", nil)
	if err != nil {
		return err
	}
	config, err := client.RESTConfig(ctx)
	if err != nil {
		return err
	}
	return stream.Forward(ctx, config, u, o.Addresses, ports, o.IO.Out, o.IO.ErrOut)
}

// lookupFunc finds a port by number or name: its own number, and that of the pod's port.
type lookupFunc func(port string) (number, target int32, err error)

// portsOf gives the ports of what was named: its own if its kind has such, else the pod's.
func portsOf(obj *resource.Object, pod *corev1.Pod) (lookupFunc, error) {
	typed, kind, err := obj.Typed()
	if err != nil {
		return nil, err
	}
	if kind.ForwardPort == nil {
		if typed, kind, err = resource.PodObject(pod); err != nil {
			return nil, err
		}
	}
	return func(port string) (int32, int32, error) { return kind.ForwardPort(typed, pod, port) }, nil
}

// translate turns LOCAL:REMOTE, REMOTE and :REMOTE into numbers of ports here and in the pod.
func translate(ports []string, lookup lookupFunc) ([]string, error) {
	var out []string
	for _, spec := range ports {
		parts := strings.Split(spec, ":")
		local, remote := parts[0], parts[0]
		if len(parts) == 2 {
			remote = parts[1]
		}
		number, target, err := lookup(remote)
		if err != nil {
			return nil, err
		}
		if local == remote {
			local = strconv.Itoa(int(number))
		}
		there := strconv.Itoa(int(target))
		if local == there {
			out = append(out, there)
			continue
		}
		out = append(out, local+":"+there)
	}
	if len(out) == 0 {
		return nil, errors.New("at least 1 PORT is required for port-forward")
	}
	return out, nil
}
