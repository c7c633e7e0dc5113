package command

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/command/edit"
)

func newEdit(t tool) *cobra.Command {
	return edit.NewCommand(t.IOStreams, t.name, kustomize.Options{Get: Get, Clone: Clone}, func() ([]byte, error) { return Render(t.IOStreams, ".") })
}
