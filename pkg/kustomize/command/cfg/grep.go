package cfg

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/cfg"
)

func (r reader) grep() *cobra.Command {
	var invert, recurse bool
	var out cfg.Output
	cmd := &cobra.Command{
		Use:   "grep QUERY [DIR]",
		Short: "[Alpha] Print the resources that have a value in a field",
		Long: `[Alpha] Print the resources, in the YAML files of a directory or on standard input, that have a value in a field.

The query is PATH=PATTERN with a regular expression, or PATH<N, PATH<=N, PATH>N, PATH>=N with a number or a quantity. A path
is fields with dots between them; [FIELD=PATTERN] chooses elements of a list, and a dot in a name is written as \.`,
		Example: r.example(`grep kind=Deployment manifests`, `grep 'spec.replicas>2' manifests`,
			`grep 'spec.template.spec.containers[name=web].image=nginx:1\.29' manifests`),
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("missing required argument: QUERY")
			}
			query, err := cfg.ParseQuery(args[0])
			if err != nil {
				return err
			}
			print := func(w io.Writer, objects []*cfg.Object) error {
				found, err := query.Filter(objects, invert)
				if err != nil || len(found) == 0 {
					return err
				}
				return out.Write(w, found)
			}
			if len(args) == 2 {
				return joined(r.Out, args[1], recurse, "%v\n%.0s", print)
			}
			objects, err := r.stream(cmd)
			if err != nil {
				return err
			}
			return print(r.Out, objects)
		},
	}
	out.Paths = true
	cmd.Flags().BoolVar(&out.Positions, "annotate", true, "say by annotations where each resource is from")
	cmd.Flags().BoolVar(&invert, "invert-match", false, "print the resources that do not have the value")
	cmd.Flags().BoolVarP(&recurse, "recurse-subpackages", "R", true, "go on in the packages below")
	return cmd
}
