package edit

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) addPatch() *cobra.Command {
	p := kustomize.Patch{Target: &kustomize.Selector{}}
	cmd := e.command("patch", "Add to patches", "add patch --path patch.yaml --kind Deployment --name 'web-.*'", func([]string) error {
		if p.Patch == "" && p.Path == "" {
			return errors.New("must provide either patch or path")
		}
		if err := checkPatch(&p); err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			if f.HasPatch(p) {
				e.warn(fmt.Sprintf("patch %s already in kustomization file", p.Path+p.Patch))
				return kustfile.ErrUnchanged
			}
			f.Patches = append(f.Patches, p)
			return nil
		})
	})
	cmd.Long = "Add a patch: a strategic merge patch or a JSON patch, in a file or as text, for what the target flags choose."
	addPatchFlags(cmd.Flags(), &p)
	return cmd
}

func addPatchFlags(flags *pflag.FlagSet, p *kustomize.Patch) {
	flags.StringVar(&p.Path, "path", "", "the file of the patch; or use --patch")
	flags.StringVar(&p.Patch, "patch", "", "the patch itself; or use --path")
	flags.StringVar(&p.Target.Group, "group", "", "API group of the target")
	flags.StringVar(&p.Target.Version, "version", "", "API version of the target")
	flags.StringVar(&p.Target.Kind, "kind", "", "kind of the target")
	flags.StringVar(&p.Target.Name, "name", "", "name of the target, a regular expression")
	flags.StringVar(&p.Target.Namespace, "namespace", "", "namespace of the target, a regular expression")
	flags.StringVar(&p.Target.AnnotationSelector, "annotation-selector", "", "annotations of the target")
	flags.StringVar(&p.Target.LabelSelector, "label-selector", "", "labels of the target")
}

// checkPatch refuses two sources, and drops a target that says nothing.
func checkPatch(p *kustomize.Patch) error {
	if p.Patch != "" && p.Path != "" {
		return errors.New("patch and path can't be set at the same time")
	}
	if *p.Target == (kustomize.Selector{}) {
		p.Target = nil
	}
	return nil
}
