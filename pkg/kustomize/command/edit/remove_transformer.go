package edit

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) removeTransformer() *cobra.Command {
	return e.command("transformer", "Remove what patterns match from transformers", "remove transformer 'old-*.yaml'", func(args []string) error {
		if len(args) == 0 {
			return errors.New("must specify a transformer file")
		}
		return change(func(f *kustfile.File) error {
			kept, matched, err := kustfile.Without(f.Transformers, args)
			if err == nil && !matched {
				err = kustfile.ErrUnchanged
			}
			f.Transformers = kept
			return err
		})
	})
}
