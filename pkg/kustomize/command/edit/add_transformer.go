package edit

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) addTransformer() *cobra.Command {
	return e.command("transformer", "Add files to transformers", "add transformer 'transformers/*.yaml'", func(args []string) error {
		if len(args) == 0 {
			return errors.New("must specify a yaml file which contains a transformer plugin resource")
		}
		paths, err := kustfile.Glob(args, e.warn)
		if err != nil || len(paths) == 0 {
			return err
		}
		return change(func(f *kustfile.File) error {
			f.AddPaths(&f.Transformers, "transformer", paths, e.warn)
			return nil
		})
	})
}
