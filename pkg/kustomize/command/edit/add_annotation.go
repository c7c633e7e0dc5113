package edit

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) addAnnotation() *cobra.Command {
	var force bool
	cmd := e.command("annotation", "Add to commonAnnotations", "add annotation owner:web note:\"see wiki\"", func(args []string) error {
		pairs, err := parsePairs(args, "annotation")
		if err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			return kustfile.AddPairs(&f.CommonAnnotations, pairs, "annotation", force)
		})
	})
	cmd.Flags().BoolVarP(&force, "force", "f", false, "replace the value of an annotation that is there already")
	return cmd
}

func parsePairs(args []string, kind string) (map[string]string, error) {
	if len(args) == 0 {
		return nil, errors.New("must specify " + kind)
	}
	return kustfile.ParsePairs(args, kind)
}
