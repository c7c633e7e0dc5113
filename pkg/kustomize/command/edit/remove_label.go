package edit

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) removeLabel() *cobra.Command {
	return e.removePairs("label", func(f *kustfile.File, keys []string, mayMiss bool) error {
		return kustfile.RemovePairs(f.CommonLabels, keys, "commonLabels", "label", mayMiss)
	})
}
