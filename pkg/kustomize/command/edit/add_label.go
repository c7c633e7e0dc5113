package edit

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) addLabel() *cobra.Command {
	var force, plain, templates bool
	cmd := e.command("label", "Add to commonLabels, or to labels", "add label tier:front --without-selector", func(args []string) error {
		if len(args) > 0 && templates && !plain {
			return errors.New("--without-selector flag must be specified for --include-templates to work")
		}
		pairs, err := parsePairs(args, "label")
		if err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			if plain {
				return f.AddLabels(pairs, templates, force)
			}
			return kustfile.AddPairs(&f.CommonLabels, pairs, "label", force)
		})
	})
	cmd.Flags().BoolVarP(&force, "force", "f", false, "replace the value of a label that is there already")
	cmd.Flags().BoolVar(&plain, "without-selector", false, "leave selectors alone: add to labels, not to commonLabels")
	cmd.Flags().BoolVar(&templates, "include-templates", false, "label pod templates too (needs --without-selector)")
	return cmd
}
