package edit

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) removePatch() *cobra.Command {
	p := kustomize.Patch{Target: &kustomize.Selector{}}
	cmd := e.command("patch", "Remove from patches", "remove patch --path patch.yaml --kind Deployment", func([]string) error {
		if err := checkPatch(&p); err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			if !f.RemovePatch(p) {
				e.warn("patch " + p.Patch + " doesn't exist in kustomization file")
				return kustfile.ErrUnchanged
			}
			return nil
		})
	})
	cmd.Long = "Remove the patch that is exactly what the flags say: a target that they leave out must be missing in the file too."
	addPatchFlags(cmd.Flags(), &p)
	return cmd
}
