package edit

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) removeResource() *cobra.Command {
	return e.command("resource", "Remove what patterns match from resources", "remove resource 'old-*.yaml'", func(args []string) error {
		if len(args) == 0 {
			return errors.New("must specify a resource file")
		}
		return change(func(f *kustfile.File) error {
			kept, matched, err := kustfile.Without(f.Resources, args)
			if err == nil && !matched {
				err = kustfile.ErrUnchanged
			}
			f.Resources = kept
			return err
		})
	})
}
