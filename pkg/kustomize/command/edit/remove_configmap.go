package edit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) removeConfigMap() *cobra.Command {
	return e.removeGenerators("configmap", func(f *kustfile.File, gone func(name, namespace string) bool) {
		f.ConfigMapGenerator = slices.DeleteFunc(f.ConfigMapGenerator, func(g kustomize.ConfigMapArgs) bool { return gone(g.Name, g.Namespace) })
	})
}

// removeGenerators takes out generators by name and namespace. Of several names not all need to be there.
func (e editor) removeGenerators(kind string, remove func(f *kustfile.File, gone func(name, namespace string) bool)) *cobra.Command {
	var namespace string
	cmd := e.command(kind+" NAME [,NAME] [--namespace=namespace-name]", "Remove what generates a "+kind, "remove "+kind+" settings,login",
		func(args []string) error {
			switch len(args) {
			case 0:
				return fmt.Errorf("at least one %s name must be specified", kind)
			case 1:
			default:
				return fmt.Errorf("too many arguments: %s; to provide multiple %ss to remove, please separate %s names by commas", args, kind, kind)
			}
			names := strings.Split(args[0], ",")
			return change(func(f *kustfile.File) error {
				var found []string
				remove(f, func(name, ns string) bool {
					gone := slices.Contains(names, name) && kustfile.SameNamespace(ns, namespace)
					if gone {
						found = append(found, name)
					}
					return gone
				})
				if len(found) == 0 {
					return errors.New("no specified " + kind + "(s) were found in the kustomization.yaml file")
				}
				for _, name := range names {
					if !slices.Contains(found, name) {
						e.warn(kind + " " + name + " doesn't exist in kustomization file")
					}
				}
				return nil
			})
		})
	cmd.Flags().StringVar(&namespace, "namespace", "", "the namespace of the "+kind+"; without it, the default one")
	return cmd
}
