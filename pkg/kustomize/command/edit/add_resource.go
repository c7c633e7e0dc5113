package edit

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) addResource() *cobra.Command {
	var noVerify bool
	cmd := e.command("resource", "Add files, directories or URLs to resources", "add resource deployment.yaml 'services/*.yaml' ../base",
		func(args []string) (err error) {
			if len(args) == 0 {
				return errors.New("must specify a resource file")
			}
			paths := args
			if !noVerify {
				if paths, err = kustfile.GlobOrRoot(args, e.root); err != nil {
					return err
				}
			}
			return change(func(f *kustfile.File) error {
				f.AddPaths(&f.Resources, "resource", paths, e.warn)
				return nil
			})
		})
	cmd.Flags().BoolVar(&noVerify, "no-verify", false, "take the arguments as they are: patterns stay, and nothing needs to exist")
	return cmd
}
