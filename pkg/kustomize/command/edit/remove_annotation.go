package edit

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) removeAnnotation() *cobra.Command {
	return e.removePairs("annotation", func(f *kustfile.File, keys []string, mayMiss bool) error {
		return kustfile.RemovePairs(f.CommonAnnotations, keys, "commonAnnotations", "annotation", mayMiss)
	})
}

// removePairs takes keys, separated by commas, out of a map. Its usage errors speak of labels, as kustomize's do.
func (e editor) removePairs(kind string, remove func(f *kustfile.File, keys []string, mayMiss bool) error) *cobra.Command {
	var mayMiss bool
	field := "common" + strings.ToUpper(kind[:1]) + kind[1:] + "s"
	cmd := e.command(kind, "Remove from "+field, "remove "+kind+" owner,note", func(args []string) error {
		switch len(args) {
		case 0:
			return errors.New("must specify label")
		case 1:
		default:
			return errors.New("labels must be comma-separated, with no spaces")
		}
		keys := strings.Split(args[0], ",")
		if slices.Contains(keys, "") {
			return errors.New("invalid label: '' (name is empty)")
		}
		return change(func(f *kustfile.File) error { return remove(f, keys, mayMiss) })
	})
	cmd.Flags().BoolVarP(&mayMiss, "ignore-non-existence", "i", false, "go on if the "+kind+" is not there")
	return cmd
}
