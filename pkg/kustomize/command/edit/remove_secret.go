package edit

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) removeSecret() *cobra.Command {
	return e.removeGenerators("secret", func(f *kustfile.File, gone func(name, namespace string) bool) {
		f.SecretGenerator = slices.DeleteFunc(f.SecretGenerator, func(g kustomize.SecretArgs) bool { return gone(g.Name, g.Namespace) })
	})
}
