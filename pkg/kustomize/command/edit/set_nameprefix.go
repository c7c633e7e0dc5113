package edit

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) setNamePrefix() *cobra.Command {
	return e.command("nameprefix", "Set namePrefix", "set nameprefix staging-", func(args []string) error {
		if len(args) != 1 {
			return errors.New("must specify exactly one prefix value")
		}
		return change(func(f *kustfile.File) error {
			f.NamePrefix = args[0]
			return nil
		})
	})
}
