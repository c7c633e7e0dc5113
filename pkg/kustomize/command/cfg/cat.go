package cfg

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/cfg"
)

type catOptions struct {
	out                             cfg.Output
	format, strip, local, onlyLocal bool
	recurse                         bool
	styles                          []string
	function, dest                  string
}

func (r reader) cat() *cobra.Command {
	var o catOptions
	cmd := &cobra.Command{
		Use:   "cat DIR",
		Short: "[Alpha] Print the resources in the files of a directory",
		Long: "[Alpha] Print the resources in the YAML files of a directory with their comments, their fields in the usual order. Without a\n" +
			"directory they are read from standard input.",
		Example: r.example("cat manifests", "cat manifests --wrap-kind ResourceList --wrap-version config.kubernetes.io/v1 --function-config fn.yaml"),
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, r, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.format, "format", true, "put fields in their usual order")
	flags.BoolVar(&o.out.Positions, "annotate", false, "say by annotations which file each resource is from")
	flags.StringVar(&o.out.Kind, "wrap-kind", "", "print one object of this kind that holds all")
	flags.StringVar(&o.out.APIVersion, "wrap-version", "", "the apiVersion of that object")
	flags.StringVar(&o.function, "function-config", "", "a file whose object goes into that object as functionConfig")
	flags.StringSliceVar(&o.styles, "style", nil,
		"how to write YAML: TaggedStyle, DoubleQuotedStyle, SingleQuotedStyle, LiteralStyle, FoldedStyle, FlowStyle")
	flags.BoolVar(&o.strip, "strip-comments", false, "leave comments out")
	flags.BoolVar(&o.local, "include-local", false, "print resources too that are marked as there for tools alone")
	flags.BoolVar(&o.onlyLocal, "exclude-non-local", false, "leave out all others")
	flags.StringVar(&o.dest, "dest", "", "a file to write to")
	flags.BoolVarP(&o.recurse, "recurse-subpackages", "R", true, "go on in the packages below")
	return cmd
}

func (o *catOptions) run(cmd *cobra.Command, r reader, args []string) error {
	w := r.Out
	if o.dest != "" {
		f, err := os.Create(o.dest)
		if err != nil {
			return err
		}
		defer f.Close()
		w = f
	}
	o.out.Style = cfg.Style(o.styles)
	if o.function != "" {
		list, err := cfg.Function(o.function, o.out.Positions)
		if err != nil {
			return err
		}
		if len(list) != 1 {
			return fmt.Errorf("expected exactly 1 functionConfig, found %d", len(list))
		}
		o.out.Function = list[0]
	}
	if len(args) > 0 {
		return joined(w, args[0], o.recurse, "%v in package %q\n", o.print)
	}
	objects, err := r.stream(cmd)
	if err != nil {
		return err
	}
	return o.print(w, objects)
}

func (o *catOptions) print(w io.Writer, objects []*cfg.Object) error {
	objects = cfg.Local(objects, o.local, !o.onlyLocal)
	if o.format {
		if err := cfg.Format(objects); err != nil {
			return err
		}
	}
	if o.strip {
		cfg.StripComments(objects)
	}
	if len(objects) == 0 {
		return nil
	}
	return o.out.Write(w, objects)
}
