// Package service implements "skiff service": say where a Service answers, or open it in a browser. It looks at the Service alone and
// sends no request to it.
package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"strconv"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that service goes by.
type Options struct {
	IO        cli.IOStreams
	Client    func() (*resource.Client, error)
	Namespace func() (string, bool, error)
	Name      string
	URL       bool
	HTTPS     bool
	// Open shows an address to the user.
	Open func(url string) error
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client, Namespace: f.Namespace, Open: openBrowser}
	cmd := &cobra.Command{
		Use:   "service NAME",
		Short: "Open a Service in the browser, or print its address",
		Long: `Find out where a Service of the built-in cluster answers from this machine, and open that address in the browser. A LoadBalancer's
external address comes first, then node ports on the loopback, then the cluster address, which this machine reaches too.`,
		Example: `
  # Open it
  skiff service my-service

  # Only print the addresses, one a port
  skiff service my-service --url
  curl $(skiff service my-service --url)`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			return o.Run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&o.URL, "url", false, "Print the addresses instead of opening the first.")
	cmd.Flags().BoolVar(&o.HTTPS, "https", false, "Say https:// instead of http://.")
	return cmd
}

// Run prints or opens.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	namespace, _, err := o.Namespace()
	if err != nil {
		return err
	}
	var s corev1.Service
	if err := client.Get(ctx, namespace, o.Name, &s); err != nil {
		return err
	}
	urls, err := addresses(&s, o.HTTPS)
	if err != nil {
		return err
	}
	if o.URL {
		for _, u := range urls {
			fmt.Fprintln(o.IO.Out, u)
		}
		return nil
	}
	fmt.Fprintf(o.IO.Out, "opening %s\n", urls[0])
	return o.Open(urls[0])
}

// addresses gives one URL for each TCP port of the Service, by the address that is best for people.
func addresses(s *corev1.Service, https bool) ([]string, error) {
	scheme := "http://"
	if https {
		scheme = "https://"
	}
	var out []string
	for _, p := range s.Spec.Ports {
		if p.Protocol != corev1.ProtocolTCP && p.Protocol != "" {
			continue
		}
		host, port := reach(s, &p)
		if host == "" {
			return nil, fmt.Errorf("service %s has no address of its own (type %s): use \"skiff port-forward service/%s\"", s.Name, s.Spec.Type, s.Name)
		}
		out = append(out, scheme+net.JoinHostPort(host, strconv.Itoa(int(port))))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("service %s has no TCP port", s.Name)
	}
	return out, nil
}

func reach(s *corev1.Service, p *corev1.ServicePort) (host string, port int32) {
	for _, in := range s.Status.LoadBalancer.Ingress {
		if in.IP != "" {
			return in.IP, p.Port
		}
		if in.Hostname != "" {
			return in.Hostname, p.Port
		}
	}
	if p.NodePort != 0 {
		return "127.0.0.1", p.NodePort
	}
	if s.Spec.ClusterIP != "" && s.Spec.ClusterIP != corev1.ClusterIPNone {
		return s.Spec.ClusterIP, p.Port
	}
	return "", 0
}

// openBrowser hands a URL to the desktop.
func openBrowser(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("there is no %s to open a browser with: use --url to print the address", name)
	}
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := exec.Command(path, args...).Start(); err != nil {
		return fmt.Errorf("open a browser: %w", err)
	}
	return nil
}
