package edit

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) setBuildMetadata() *cobra.Command {
	cmd := e.command("buildmetadata", "Set buildMetadata", "set buildmetadata originAnnotations,managedByLabel", func(args []string) error {
		options, err := kustfile.ParseBuildMetadata(args)
		if err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			f.BuildMetadata = options
			return nil
		})
	})
	cmd.Long = "Say what a build tells about each object, in place of what the file says now.\n\n" + metadataOptions
	return cmd
}
