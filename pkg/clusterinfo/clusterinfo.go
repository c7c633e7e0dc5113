// Package clusterinfo implements "skiff cluster-info": where the cluster is reached, and a dump of what is in it.
package clusterinfo

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// NewCommand makes the command with its subcommand.
func NewCommand(f *cli.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster-info",
		Short: "Display cluster information",
		Long:  "Show where the control plane is reached, and services labelled kubernetes.io/cluster-service=true.",
		Example: `
  skiff cluster-info`,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), f) },
	}
	cmd.AddCommand(newDump(f))
	return cmd
}

func run(ctx context.Context, f *cli.Factory) error {
	client, err := f.Client()
	if err != nil {
		return err
	}
	namespace := metav1.NamespaceSystem
	if client.NamespaceExplicit {
		namespace = client.Namespace
	}
	var list corev1.ServiceList
	err = listInto(ctx, client, "/api/v1/namespaces/"+namespace+"/services?labelSelector=kubernetes.io%2Fcluster-service%3Dtrue", &list)
	if err == nil {
		config, err := client.RESTConfig(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(f.IO.Out, "Kubernetes control plane is running at %s\n", config.Host)
		for i := range list.Items {
			s := &list.Items[i]
			name := s.Labels["kubernetes.io/name"]
			if name == "" {
				name = s.Name
			}
			fmt.Fprintf(f.IO.Out, "%s is running at %s\n", name, link(s, config.Host))
		}
	}
	fmt.Fprintf(f.IO.Out, "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n")
	return err
}

// link is where a service is reached: its balancer's address, else through the API server.
func link(s *corev1.Service, host string) string {
	if ingress := s.Status.LoadBalancer.Ingress; len(ingress) > 0 {
		ip := ingress[0].IP
		if ip == "" {
			ip = ingress[0].Hostname
		}
		var b strings.Builder
		for _, p := range s.Spec.Ports {
			fmt.Fprintf(&b, "http://%s:%d ", ip, p.Port)
		}
		return b.String()
	}
	name := s.Name
	if len(s.Spec.Ports) > 0 {
		port := s.Spec.Ports[0]
		scheme := ""
		if port.Name == "https" || port.Port == 443 {
			scheme = "https"
		}
		name = utilnet.JoinSchemeNamePort(scheme, s.Name, port.Name)
	}
	return host + "/api/v1/namespaces/" + s.Namespace + "/services/" + name + "/proxy"
}
