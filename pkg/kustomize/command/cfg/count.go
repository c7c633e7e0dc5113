package cfg

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/cfg"
)

func (r reader) count() *cobra.Command {
	var kinds, recurse bool
	print := func(w io.Writer, objects []*cfg.Object) error {
		cfg.Count(w, objects, kinds)
		return nil
	}
	cmd := &cobra.Command{
		Use:     "count [DIR]",
		Short:   "[Alpha] Count the resources in the files of a directory",
		Long:    "[Alpha] Count the resources in the YAML files of a directory, or those on standard input.",
		Example: r.example("count manifests"),
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return packages(r.Out, args[0], recurse, "%s/\n", "%v\n%.0s", print)
			}
			objects, err := r.stream(cmd)
			if err != nil {
				return err
			}
			return print(r.Out, objects)
		},
	}
	cmd.Flags().BoolVar(&kinds, "kind", true, "count each kind apart")
	cmd.Flags().BoolVarP(&recurse, "recurse-subpackages", "R", true, "go on in the packages below")
	return cmd
}
