package edit

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) setNameSuffix() *cobra.Command {
	return e.command("namesuffix", "Set nameSuffix", "set namesuffix -- -canary", func(args []string) error {
		if len(args) != 1 {
			return errors.New("must specify exactly one suffix value")
		}
		return change(func(f *kustfile.File) error {
			f.NameSuffix = args[0]
			return nil
		})
	})
}
