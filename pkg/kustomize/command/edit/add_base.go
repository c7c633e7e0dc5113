package edit

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) addBase() *cobra.Command {
	return e.command("base", "Add directories to resources", "add base ../base,../monitoring", func(args []string) error {
		if len(args) != 1 {
			return errors.New("must specify a base directory")
		}
		return change(func(f *kustfile.File) error {
			for path := range strings.SplitSeq(args[0], ",") {
				if _, err := os.Stat(path); err != nil {
					return errors.New(path + " does not exist")
				}
				if slices.Contains(f.Resources, path) {
					return fmt.Errorf("base %s already in kustomization file", path)
				}
				f.Resources = append(f.Resources, path)
			}
			return nil
		})
	})
}
