package edit

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) addConfigMap() *cobra.Command {
	var s kustfile.Source
	cmd := e.command("configmap NAME [--namespace=namespace-name] [--behavior={create|merge|replace}] [--from-file=[key=]source] [--from-literal=key1=value1]",
		"Add to configMapGenerator", "add configmap settings --from-file=app.properties --from-literal=level=info", func(args []string) error {
			return e.generator(&s, args, s.CheckAdd, "configmap", func(f *kustfile.File) (*kustomize.ConfigMapArgs, error) {
				return f.AddConfigMap(&s), nil
			})
		})
	addSourceFlags(cmd.Flags(), &s, "config map")
	cmd.Flags().StringVar(&s.Behavior, "behavior", "", "what to do with a config map of a base: create a new one (the default), merge with it, or replace it")
	return cmd
}

func addSourceFlags(flags *pflag.FlagSet, s *kustfile.Source, what string) {
	flags.StringSliceVar(&s.Files, "from-file", nil, "a file, or KEY=FILE, or a pattern for several; without a key the file's name is the key")
	flags.StringArrayVar(&s.Literals, "from-literal", nil, "KEY=VALUE")
	flags.StringVar(&s.EnvFile, "from-env-file", "", "a file of KEY=VALUE lines")
	flags.BoolVar(&s.DisableNameSuffixHash, "disableNameSuffixHash", false, "give the "+what+" its plain name, without a hash of its content")
	flags.StringVar(&s.Namespace, "namespace", "", "the namespace of the "+what)
}

// generator changes the file's generator of what, and makes sure that it can still be read.
func (e editor) generator(s *kustfile.Source, args []string, check func([]string) error, what string,
	with func(f *kustfile.File) (*kustomize.ConfigMapArgs, error)) error {
	if err := s.ExpandFiles(e.warn); err != nil {
		return fmt.Errorf("failed to expand file source: %w", err)
	}
	if err := check(args); err != nil {
		return fmt.Errorf("failed to validate flags: %w", err)
	}
	path, err := kustfile.Find(here)
	if err != nil {
		return fmt.Errorf("failed to load kustomization file: %w", err)
	}
	f, err := kustfile.Read(path)
	if err != nil {
		return fmt.Errorf("failed to read kustomization file: %w", err)
	}
	g, err := with(f)
	if err == nil {
		err = kustomize.CheckGenerator(kustomize.Disk(), here, g, e.remote)
	}
	if err != nil {
		return fmt.Errorf("failed to create %s: %w", what, err)
	}
	if err := f.Write(); err != nil {
		return fmt.Errorf("failed to write kustomization file: %w", err)
	}
	return nil
}
