package edit

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

// metadataOptions is what the help of the buildmetadata commands says.
const metadataOptions = `The options, separated by commas:
  originAnnotations       each object says which file it came from
  transformerAnnotations  each object says which transformers changed it
  managedByLabel          each object says which kustomize rendered it`

func (e editor) addBuildMetadata() *cobra.Command {
	cmd := e.command("buildmetadata", "Add to buildMetadata", "add buildmetadata originAnnotations", func(args []string) error {
		options, err := kustfile.ParseBuildMetadata(args)
		if err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			for _, option := range options {
				if slices.Contains(f.BuildMetadata, option) {
					return fmt.Errorf("buildMetadata option %s already in kustomization file", option)
				}
				f.BuildMetadata = append(f.BuildMetadata, option)
			}
			return nil
		})
	})
	cmd.Long = "Add to what a build tells about each object.\n\n" + metadataOptions
	return cmd
}
