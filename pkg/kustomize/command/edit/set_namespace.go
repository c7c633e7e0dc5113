package edit

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) setNamespace() *cobra.Command {
	return e.command("namespace", "Set namespace", "set namespace staging", func(args []string) error {
		if len(args) != 1 {
			return errors.New("must specify exactly one namespace value")
		}
		return change(func(f *kustfile.File) error {
			f.Namespace = args[0]
			return nil
		})
	})
}
