package edit

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) addComponent() *cobra.Command {
	return e.command("component", "Add to components", "add component ../components/tls", func(args []string) error {
		if len(args) == 0 {
			return errors.New("must specify a component file")
		}
		paths, err := kustfile.GlobOrRoot(args, e.root)
		if err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			f.AddPaths(&f.Components, "component", paths, e.warn)
			return nil
		})
	})
}
