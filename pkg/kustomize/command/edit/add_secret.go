package edit

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) addSecret() *cobra.Command {
	var s kustfile.Source
	cmd := e.command("secret NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--type=Opaque|kubernetes.io/tls]",
		"Add to secretGenerator", "add secret web-tls --type=kubernetes.io/tls --from-file=tls.crt --from-file=tls.key", func(args []string) error {
			return e.generator(&s, args, s.CheckAdd, "secret", func(f *kustfile.File) (*kustomize.ConfigMapArgs, error) {
				return f.AddSecret(&s), nil
			})
		})
	addSourceFlags(cmd.Flags(), &s, "secret")
	cmd.Flags().StringVar(&s.Type, "type", "Opaque", "the type of a new secret: Opaque or kubernetes.io/tls")
	return cmd
}
