package edit

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) setConfigMap() *cobra.Command {
	var s kustfile.Source
	cmd := e.command("configmap NAME [--from-literal=key1=value1] [--namespace=namespace-name] [--new-namespace=new-namespace-name]",
		"Set literals, or the namespace, of a config map that the file generates", "set configmap settings --from-literal=level=debug",
		func(args []string) error {
			return e.generator(&s, args, s.CheckSet, "configmap", func(f *kustfile.File) (*kustomize.ConfigMapArgs, error) {
				return f.SetConfigMap(&s)
			})
		})
	addSetFlags(cmd.Flags(), &s, "config map")
	return cmd
}

func addSetFlags(flags *pflag.FlagSet, s *kustfile.Source, what string) {
	flags.StringArrayVar(&s.Literals, "from-literal", nil, "KEY=VALUE, for a key that the "+what+" has")
	flags.StringVar(&s.Namespace, "namespace", "", "the namespace that the "+what+" has now; without it, the default one")
	flags.StringVar(&s.NewNamespace, "new-namespace", "", "the namespace that the "+what+" is to have")
}
