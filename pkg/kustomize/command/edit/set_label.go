package edit

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) setLabel() *cobra.Command {
	return e.command("label", "Set entries of commonLabels", "set label tier:front", func(args []string) error {
		pairs, err := parsePairs(args, "label")
		if err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			return kustfile.AddPairs(&f.CommonLabels, pairs, "label", true)
		})
	})
}
