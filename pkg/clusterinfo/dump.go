package clusterinfo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

type dump struct {
	io            cli.IOStreams
	client        *resource.Client
	print         printers.Options
	dir           string
	namespaces    []string
	allNamespaces bool
	printer       printers.Printer
}

func newDump(f *cli.Factory) *cobra.Command {
	d := &dump{io: f.IO}
	d.print.Output = "json"
	cmd := &cobra.Command{
		Use:   "dump",
		Short: "Dump relevant information for debugging and diagnosis",
		Long: `Write nodes, and of each namespace events, workloads, services, pods and their logs, to stdout or to files in a directory.
Without other flags: the current namespace and kube-system.`,
		Example: `
  skiff cluster-info dump
  skiff cluster-info dump --output-directory=./state
  skiff cluster-info dump --all-namespaces`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if d.printer, err = d.print.Printer(""); err != nil {
				return err
			}
			if d.client, err = f.Client(); err != nil {
				return err
			}
			return d.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	d.print.AddFlags(fs)
	fs.StringVar(&d.dir, "output-directory", "", `Directory for the files; empty or "-" is stdout.`)
	fs.StringSliceVar(&d.namespaces, "namespaces", nil, "Namespaces to dump, by comma.")
	fs.BoolVarP(&d.allNamespaces, "all-namespaces", "A", false, "Dump all namespaces.")
	fs.Duration("pod-running-timeout", 20*time.Second, "How long to wait for a pod's log.")
	return cmd
}

func listInto(ctx context.Context, c *resource.Client, path string, into runtime.Object) error {
	body, err := c.GetRaw(ctx, path)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// part is one list of a namespace.
type part struct {
	file, prefix, name string
	list               func() runtime.Object
}

var parts = []part{
	{"events", "/api/v1", "events", func() runtime.Object { return &corev1.EventList{} }},
	{"replication-controllers", "/api/v1", "replicationcontrollers", func() runtime.Object { return &corev1.ReplicationControllerList{} }},
	{"services", "/api/v1", "services", func() runtime.Object { return &corev1.ServiceList{} }},
	{"daemonsets", "/apis/apps/v1", "daemonsets", func() runtime.Object { return &appsv1.DaemonSetList{} }},
	{"deployments", "/apis/apps/v1", "deployments", func() runtime.Object { return &appsv1.DeploymentList{} }},
	{"replicasets", "/apis/apps/v1", "replicasets", func() runtime.Object { return &appsv1.ReplicaSetList{} }},
}

func (d *dump) run(ctx context.Context) error {
	nodes := &corev1.NodeList{}
	if err := listInto(ctx, d.client, "/api/v1/nodes", nodes); err != nil {
		return err
	}
	if err := d.write("nodes", nodes); err != nil {
		return err
	}
	namespaces, err := d.chosen(ctx)
	if err != nil {
		return err
	}
	for _, ns := range namespaces {
		if err := d.namespace(ctx, ns); err != nil {
			return err
		}
	}
	if d.dir != "" && d.dir != "-" {
		fmt.Fprintf(d.io.Out, "Cluster info dumped to %s\n", d.dir)
	}
	return nil
}

func (d *dump) chosen(ctx context.Context) ([]string, error) {
	if !d.allNamespaces {
		if len(d.namespaces) > 0 {
			return d.namespaces, nil
		}
		return []string{"kube-system", d.client.Namespace}, nil
	}
	list := &corev1.NamespaceList{}
	if err := listInto(ctx, d.client, "/api/v1/namespaces", list); err != nil {
		return nil, err
	}
	var out []string
	for _, ns := range list.Items {
		out = append(out, ns.Name)
	}
	return out, nil
}

func (d *dump) namespace(ctx context.Context, ns string) error {
	for _, p := range parts {
		list := p.list()
		err := listInto(ctx, d.client, p.prefix+"/namespaces/"+ns+"/"+p.name, list)
		if apierrors.IsNotFound(err) {
			// This server does not have the kind.
			continue
		}
		if err != nil {
			return err
		}
		if err := d.write(filepath.Join(ns, p.file), list); err != nil {
			return err
		}
	}
	pods := &corev1.PodList{}
	if err := listInto(ctx, d.client, "/api/v1/namespaces/"+ns+"/pods", pods); err != nil {
		return err
	}
	if err := d.write(filepath.Join(ns, "pods"), pods); err != nil {
		return err
	}
	for i := range pods.Items {
		if err := d.logs(ctx, &pods.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (d *dump) write(name string, obj runtime.Object) error {
	return d.with(name+d.extension(), func(w io.Writer) error { return d.printer.Print(obj, w) })
}

func (d *dump) extension() string {
	if d.print.Output == "json" || d.print.Output == "yaml" {
		return "." + d.print.Output
	}
	return ".txt"
}

// with opens a file of the dump, which may hold secrets and is for its owner alone.
func (d *dump) with(name string, write func(io.Writer) error) error {
	if d.dir == "" || d.dir == "-" {
		return write(d.io.Out)
	}
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (d *dump) logs(ctx context.Context, pod *corev1.Pod) error {
	return d.with(filepath.Join(pod.Namespace, pod.Name, "logs.txt"), func(w io.Writer) error {
		for _, c := range append(append([]corev1.Container(nil), pod.Spec.InitContainers...), pod.Spec.Containers...) {
			fmt.Fprintf(w, "==== START logs for container %s of pod %s/%s ====\n", c.Name, pod.Namespace, pod.Name)
			log, err := d.client.GetRaw(ctx, "/api/v1/namespaces/"+pod.Namespace+"/pods/"+pod.Name+"/log?container="+c.Name)
			if err != nil {
				fmt.Fprintf(w, "Request log error: %s\n", err)
			}
			w.Write(log)
			fmt.Fprintf(w, "==== END logs for container %s of pod %s/%s ====\n", c.Name, pod.Namespace, pod.Name)
		}
		return nil
	})
}
