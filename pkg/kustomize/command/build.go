package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/process"
)

// Options are the flags of a build.
type Options struct {
	IO         shell.IOStreams
	Dir        string
	Output     string
	Restrictor string
	Reorder    string
	ManagedBy  bool
	plugins    pluginFlags
	charts     helmFlags

	trace *kustomize.Trace
	fs    kustomize.FileSystem // nil is the disk
	warn  func(line string)    // nil prints to ErrOut
	again *memory              // of a watch, nil if there is none
}

// Render renders a directory as -k does.
func Render(streams shell.IOStreams, dir string) ([]byte, error) {
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

func newBuild(t tool) *cobra.Command {
	o := &Options{IO: t.IOStreams}
	cmd := &cobra.Command{
		Use:   "build DIR",
		Short: "Build a kustomization target from a directory or URL",
		Long:  "Print the resources that the kustomization.yaml of a directory makes. Without an argument it is the current directory's.",
		Example: "  # What the current directory makes\n  " + t.name + " build\n\n" +
			"  # What an overlay makes, into a file\n  " + t.name + " build overlays/production -o production.yaml",
		SilenceUsage: true,
	}
	o.addFlags(cmd.Flags())
	addCompletions(cmd)
	o.plugins.addExec(cmd.Flags())
	again := cmd.Flags().BoolP("watch", "w", false, "Build again whenever a file that the build reads changes, until interrupted. "+
		"Each result on stdout ends with a line \"...\".")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !*again {
			return o.run(cmd, args)
		}
		if err := o.takeDir(args); err != nil {
			return err
		}
		return o.watch(cmd.Context())
	}
	return cmd
}

func (o *Options) addFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&o.Output, "output", "o", "", "If specified, write output to this path.")
	o.addBuildFlags(flags)
}

// addBuildFlags are the flags of whatever builds.
func (o *Options) addBuildFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Restrictor, "load-restrictor", rootOnly, "if set to '"+none+"', local kustomizations may load files from outside their root. "+
		"This does, however, break the relocatability of the kustomization.")
	flags.StringVar(&o.Reorder, "reorder", "", "Reorder the resources just before output. Use 'legacy' to apply a legacy reordering "+
		"(Namespaces first, Webhooks last, etc). Use 'none' to suppress a final reordering.")
	flags.BoolVar(&o.ManagedBy, "enable-managedby-label", false, "enable adding app.kubernetes.io/managed-by")
	_ = flags.MarkDeprecated("reorder", "use the new 'sortOptions' field in kustomization.yaml instead.")
	_ = flags.MarkDeprecated("enable-managedby-label", "The flag `enable-managedby-label` has been deprecated. "+
		"Use the `managedByLabel` option in the `buildMetadata` field instead.")
	flags.Lookup("reorder").DefValue = "legacy" // what it means to say nothing; saying it is an order that a sortOptions field overrules
	o.plugins.add(flags)
	o.charts.add(flags)
}

func (o *Options) run(_ *cobra.Command, args []string) error {
	if err := o.takeDir(args); err != nil {
		return err
	}
	// A build keeps most of what it makes and the process ends with it, so that looking for garbage as often as usual is time lost.
	defer debug.SetGCPercent(debug.SetGCPercent(lateCollection))
	return o.Run()
}

// lateCollection is how many percent the memory in use grows by until garbage is looked for. More gains little.
const lateCollection = 400

func (o *Options) takeDir(args []string) error {
	o.Dir = "."
	switch {
	case len(args) > 1:
		return errors.New("specify one path to kustomization.yaml")
	case len(args) == 1:
		o.Dir = args[0]
	}
	return nil
}

// Run builds and prints.
func (o *Options) Run() error {
	objects, err := o.build()
	if err != nil {
		return err
	}
	if o.Output != "" {
		if info, err := os.Stat(o.Output); err == nil && info.IsDir() {
			return o.writeEach(objects)
		}
	}
	out, err := kustomize.Write(objects)
	if err != nil {
		return err
	}
	if o.Output != "" {
		return os.WriteFile(o.Output, out, 0o644)
	}
	_, err = o.IO.Out.Write(out)
	return err
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

// addCompletions tells shells what --load-restrictor may be.
func addCompletions(cmd *cobra.Command) {
	_ = cmd.RegisterFlagCompletionFunc("load-restrictor", cobra.FixedCompletions([]string{none, rootOnly}, cobra.ShellCompDirectiveNoFileComp))
}

// check refuses flags that no build can go by.
func (o *Options) check() error {
	if o.Restrictor != rootOnly && o.Restrictor != none && o.Restrictor != "" {
		return fmt.Errorf("illegal flag value --load-restrictor %s; legal values: [%s %s]", o.Restrictor, rootOnly, none)
	}
	if o.Reorder != "" && o.Reorder != "legacy" && o.Reorder != "none" {
		return fmt.Errorf("illegal flag value --reorder %s; legal values: [legacy none]", o.Reorder)
	}
	return nil
}

func (o *Options) build() ([]*kustomize.Object, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	options := kustomize.Options{
		Unrestricted: o.Restrictor == none, Order: o.Reorder, ManagedBy: o.ManagedBy || os.Getenv("KUSTOMIZE_ENABLE_MANAGEDBY_LABEL") == "on", Get: Get, Clone: Clone, Helm: o.charts.helm(o.plugins.alpha),
		Trace: o.trace, Warn: o.warn,
	}
	if options.Warn == nil {
		options.Warn = func(line string) { fmt.Fprintln(o.IO.ErrOut, line) }
	}
	if o.again != nil {
		o.again.use(&options, o.fs)
	}
	o.plugins.allow(&options, process.Runner{Stderr: o.IO.ErrOut})
	fsys := o.fs
	if fsys == nil {
		fsys = kustomize.Disk()
	}
	return kustomize.Build(fsys, o.Dir, options)
}
