package command

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

type createOptions struct {
	resources, namespace, annotations, labels, prefix, suffix string
	detect, recursive                                         bool
}

func newCreate(t tool) *cobra.Command {
	var o createOptions
	cmd := &cobra.Command{
		Use: "create", Aliases: []string{"init"},
		Short: "Make a kustomization file for the current directory",
		Example: "  # An overlay of a base\n  " + t.name + " create --resources ../base --namespace staging\n\n" +
			"  # With every manifest that lies here\n  " + t.name + " create --autodetect",
		RunE: func(*cobra.Command, []string) error { return o.run() },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.resources, "resources", "", "what it is made of: files, patterns, directories or URLs, separated by commas")
	flags.StringVar(&o.namespace, "namespace", "", "the namespace field")
	flags.StringVar(&o.annotations, "annotations", "", "commonAnnotations: KEY:VALUE pairs, separated by commas")
	flags.StringVar(&o.labels, "labels", "", "commonLabels: KEY:VALUE pairs, separated by commas")
	flags.StringVar(&o.prefix, "nameprefix", "", "the namePrefix field")
	flags.StringVar(&o.suffix, "namesuffix", "", "the nameSuffix field")
	flags.BoolVar(&o.detect, "autodetect", false, "add every file here that is a Kubernetes manifest")
	flags.BoolVar(&o.recursive, "recursive", false, "with --autodetect, look in directories too; one with a kustomization is added as such")
	return cmd
}

func (o *createOptions) run() error {
	f := kustfile.Create(".")
	var err error
	if o.resources != "" {
		root := func(path string) error {
			return kustomize.CheckRoot(kustomize.Disk(), ".", path, kustomize.Options{Clone: Clone})
		}
		if f.Resources, err = kustfile.GlobOrRoot(strings.Split(o.resources, ","), root); err != nil {
			return err
		}
	}
	if _, err := kustfile.Find("."); err == nil {
		return errors.New("kustomization file already exists")
	}
	if o.detect {
		found, err := kustfile.Detect(".", o.recursive)
		if err != nil {
			return err
		}
		for _, path := range found {
			if !slices.Contains(f.Resources, path) {
				f.Resources = append(f.Resources, path)
			}
		}
	}
	f.Namespace, f.NamePrefix, f.NameSuffix = o.namespace, o.prefix, o.suffix
	if f.CommonAnnotations, err = pairs(o.annotations, "annotation"); err != nil {
		return err
	}
	if f.CommonLabels, err = pairs(o.labels, "label"); err != nil {
		return err
	}
	return f.Write()
}

func pairs(list, kind string) (map[string]string, error) {
	if list == "" {
		return nil, nil
	}
	return kustfile.ParsePairs(strings.Split(list, ","), kind)
}
