// Package command implements "skiff kustomize": print the resources that a kustomization makes. Called as kustomize, the
// program has build and version instead. It parses flags and prints; the engine does the work.
package command

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// Options are the flags of a build.
type Options struct {
	IO         cli.IOStreams
	Dir        string
	Output     string
	Restrictor string
	Reorder    string
	ManagedBy  bool
}

// Render renders a directory as -k does.
func Render(streams cli.IOStreams, dir string) ([]byte, error) {
	o := Options{IO: streams, Dir: dir, Restrictor: rootOnly}
	objects, err := o.build()
	if err != nil {
		return nil, err
	}
	return kustomize.Write(objects)
}

const (
	rootOnly = "LoadRestrictionsRootOnly"
	none     = "LoadRestrictionsNone"
)

// NewCommand is kubectl's grammar: the argument is a directory.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO}
	cmd := &cobra.Command{
		Use:   "kustomize DIR",
		Short: "Build a kustomization target from a directory or URL",
		Long: `Print the resources that the kustomization.yaml of a directory makes. Without an argument it is the current directory's.

The same bytes come out as of kustomize ` + kustomize.Version + `.`,
		Example: "  # Build the current working directory\n  " + f.Name + " kustomize\n\n" +
			"  # Build some shared configuration directory\n  " + f.Name + " kustomize /home/config/production",
		Args: cobra.MaximumNArgs(1),
		RunE: o.run,
	}
	o.addFlags(cmd)
	return cmd
}

// NewRoot is the grammar of a program called kustomize.
func NewRoot(streams cli.IOStreams) *cobra.Command {
	root := &cobra.Command{
		Use: "kustomize", Short: "Manages declarative configuration of Kubernetes",
		Long:          "Render the resources of directories that have a kustomization.yaml.",
		SilenceErrors: true, SilenceUsage: true,
	}
	o := &Options{IO: streams}
	build := &cobra.Command{
		Use:   "build DIR",
		Short: "Build a kustomization target from a directory or URL",
		Long:  "Print the resources that the kustomization.yaml of a directory makes. Without an argument it is the current directory's.",
		Args:  cobra.MaximumNArgs(1),
		RunE:  o.run,
	}
	o.addFlags(build)
	root.AddCommand(build, newVersion(streams))
	return root
}

func (o *Options) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&o.Output, "output", "o", "", "If specified, write output to this path.")
	flags.StringVar(&o.Restrictor, "load-restrictor", rootOnly, "if set to '"+none+"', local kustomizations may load files from outside their root. "+
		"This does, however, break the relocatability of the kustomization.")
	flags.StringVar(&o.Reorder, "reorder", "", "Reorder the resources just before output. Use 'legacy' to apply a legacy reordering "+
		"(Namespaces first, Webhooks last, etc). Use 'none' to suppress a final reordering.")
	flags.BoolVar(&o.ManagedBy, "enable-managedby-label", false, "enable adding app.kubernetes.io/managed-by")
}

func (o *Options) run(cmd *cobra.Command, args []string) error {
	o.Dir = "."
	if len(args) > 0 {
		o.Dir = args[0]
	}
	return o.Run()
}

// Run builds and prints.
func (o *Options) Run() error {
	objects, err := o.build()
	if err != nil {
		return err
	}
	if o.Output == "" {
		out, err := kustomize.Write(objects)
		if err != nil {
			return err
		}
		_, err = o.IO.Out.Write(out)
		return err
	}
	if info, err := os.Stat(o.Output); err == nil && info.IsDir() {
		return o.writeEach(objects)
	}
	out, err := kustomize.Write(objects)
	if err != nil {
		return err
	}
	return os.WriteFile(o.Output, out, 0o644)
}

func (o *Options) writeEach(objects []*kustomize.Object) error {
	names := kustomize.FileNames(objects)
	for i, object := range objects {
		out, err := kustomize.Write([]*kustomize.Object{object})
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(o.Output, names[i]), out, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) build() ([]*kustomize.Object, error) {
	if o.Restrictor != rootOnly && o.Restrictor != none {
		return nil, fmt.Errorf("illegal flag value --load-restrictor %s; legal values: [%s %s]", o.Restrictor, rootOnly, none)
	}
	if o.Reorder != "" && o.Reorder != "legacy" && o.Reorder != "none" {
		return nil, fmt.Errorf("illegal flag value --reorder %s; legal values: [legacy none]", o.Reorder)
	}
	return kustomize.Build(kustomize.Disk(), o.Dir, kustomize.Options{
		Unrestricted: o.Restrictor == none, Order: o.Reorder, ManagedBy: o.ManagedBy, Get: get,
		Warn: func(line string) { fmt.Fprintln(o.IO.ErrOut, line) },
	})
}

// Bounds of what is fetched.
const (
	fetchTime = 30 * time.Second
	fetchSize = 100 << 20
)

func get(url string) ([]byte, error) {
	client := http.Client{Timeout: fetchTime}
	resp, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, fmt.Errorf("HTTP Error: status code %d (%s)", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, fetchSize+1))
	if err == nil && len(data) > fetchSize {
		err = fmt.Errorf("%s is larger than %d MB", url, fetchSize>>20)
	}
	return data, err
}

func newVersion(streams cli.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Prints the kustomize version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(streams.Out, kustomize.Version)
			return err
		},
	}
}
