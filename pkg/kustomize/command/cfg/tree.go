package cfg

import (
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubeskiff/skiff/pkg/kustomize/cfg"
)

// treeFields are the fields that have a flag, in the order they are looked up in.
var treeFields = [...]struct {
	flag  string
	paths [][]string
}{
	{"name", cfg.ContainerFields("name")},
	{"image", cfg.ContainerFields("image")},
	{"command", cfg.ContainerFields("command")},
	{"args", cfg.ContainerFields("args")},
	{"env", cfg.ContainerFields("env")},
	{"replicas", [][]string{{"spec", "replicas"}}},
	{"resources", cfg.ContainerFields("resources")},
	{"ports", append(cfg.ContainerFields("ports"), []string{"spec", "ports"})},
}

func (r reader) tree() *cobra.Command {
	var fields []string
	var all, local, onlyLocal bool
	var graph string
	cmd := &cobra.Command{
		Use:   "tree [DIR]",
		Short: "[Alpha] Draw the resources in the files of a directory as a tree",
		Long: `[Alpha] Draw the resources in the YAML files of a directory, "-" for standard input, as a tree: below their owners where they
name any, or else below their directories. Flags add fields.`,
		Example: r.example("tree manifests --image --replicas", `tree manifests --field metadata.labels.app`),
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := cfg.Tree{Root: ".", Graph: graph}
			var objects []*cfg.Object
			var err error
			if t.Fields, err = paths(cmd.Flags(), fields, all); err != nil {
				return err
			}
			cmd.SilenceUsage = true
			if len(args) > 0 && args[0] == "-" {
				objects, err = r.stream(cmd)
			} else {
				dir := "."
				if len(args) > 0 {
					dir = args[0]
				}
				t.Root = filepath.Clean(dir)
				objects, err = cfg.Package(dir, true)
			}
			if err != nil {
				return err
			}
			if objects = cfg.Local(objects, local, !onlyLocal); len(objects) == 0 {
				return nil
			}
			return t.Write(r.Out, objects)
		},
	}
	flags := cmd.Flags()
	for _, f := range treeFields {
		flags.Bool(f.flag, false, "show "+f.flag)
	}
	flags.BoolVar(&all, "all", false, "show all these fields, but those whose flag is false")
	flags.StringSliceVar(&fields, "field", nil, "show the field of this path")
	flags.BoolVar(&local, "include-local", false, "draw resources too that are marked as there for tools alone")
	flags.BoolVar(&onlyLocal, "exclude-non-local", false, "leave out all others")
	flags.StringVar(&graph, "graph-structure", "", "hang resources on their owners or on their directory: 'owners' or 'directory'")
	return cmd
}

func paths(flags *pflag.FlagSet, fields []string, all bool) ([][]string, error) {
	var out [][]string
	for _, f := range fields {
		path, err := cfg.ParsePath(f)
		if err != nil {
			return nil, err
		}
		out = append(out, path)
	}
	for _, f := range treeFields {
		if on, _ := flags.GetBool(f.flag); on || all && !flags.Changed(f.flag) {
			out = append(out, f.paths...)
		}
	}
	return out, nil
}
