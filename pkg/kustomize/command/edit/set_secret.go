package edit

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) setSecret() *cobra.Command {
	var s kustfile.Source
	cmd := e.command("secret NAME [--from-literal=key1=value1] [--namespace=namespace-name] [--new-namespace=new-namespace-name]",
		"Set literals, or the namespace, of a secret that the file generates", "set secret login --from-literal=user=web",
		func(args []string) error {
			return e.generator(&s, args, s.CheckSet, "secret", func(f *kustfile.File) (*kustomize.ConfigMapArgs, error) {
				return f.SetSecret(&s)
			})
		})
	addSetFlags(cmd.Flags(), &s, "secret")
	return cmd
}
