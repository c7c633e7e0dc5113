package edit

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) removeBuildMetadata() *cobra.Command {
	cmd := e.command("buildmetadata", "Remove from buildMetadata", "remove buildmetadata managedByLabel", func(args []string) error {
		options, err := kustfile.ParseBuildMetadata(args)
		if err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			f.BuildMetadata = slices.DeleteFunc(f.BuildMetadata, func(o string) bool { return slices.Contains(options, o) })
			return nil
		})
	})
	cmd.Long = "Remove from what a build tells about each object.\n\n" + metadataOptions
	return cmd
}
