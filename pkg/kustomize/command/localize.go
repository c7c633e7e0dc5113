package command

import (
	"bytes"
	"log"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

func newLocalize(t tool) *cobra.Command {
	var scope string
	var noVerify bool
	cmd := &cobra.Command{
		Use:   "localize [target [destination]]",
		Short: "[Alpha] Copy a kustomization with all it names, remote files and repositories too",
		Long: `[Alpha] Copy a kustomization, in a directory or a repository (with a ?ref=), with everything that it names to a new directory,
in which nothing is remote any more. Without a target it is the current directory's; without a destination the copy goes to
localized-TARGET here.

Fields come out in the order of the alphabet, without comments.`,
		Example: "  # A copy of an overlay that its base lies beside\n  " + t.name + " localize overlays/production --scope .\n\n" +
			"  # A copy of a repository's directory\n  " + t.name + " localize 'https://github.com/example/deploy//web?ref=v1.2' web",
		SilenceUsage: true,
		Args:         cobra.MaximumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			args = append(args, []string{".", ""}[len(args):]...)
			return t.localize(args[0], scope, args[1], !noVerify)
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "", "the directory that local names stay in, by default the target; not for a repository, whose scope is all of it")
	cmd.Flags().BoolVar(&noVerify, "no-verify", false, "do not build the target and the copy to see whether the same comes of both")
	return cmd
}

func (t tool) localize(target, scope, destination string, verify bool) error {
	say := log.New(t.ErrOut, "", log.LstdFlags)
	warn := func(line string) { say.Print(line) }
	copied, err := kustomize.Localize(target, scope, destination, kustomize.Options{Get: Get, Clone: Clone, Warn: warn})
	if err != nil {
		return err
	}
	if verify {
		var outputs [2][]byte
		for i, dir := range []string{target, copied.Target} {
			if outputs[i], err = Render(t.IOStreams, dir); err != nil {
				say.Printf("If your target directory requires flags to build: \n"+
					"1. Add executable permissions for the downloaded exec binaries in '%s'. \n"+
					"2. Run kustomize build with the necessary flags and self-verify the outputs.", dir)
				return err
			}
		}
		verdict := "VERIFICATION SUCCESS: `kustomize build` for %s and %s are the same after localization.\n"
		if !bytes.Equal(outputs[0], outputs[1]) {
			// kustomize never sees a difference, so scripts count on success: it is told, and no error.
			verdict = "VERIFICATION WARNING: `kustomize build` for %s and %s are different after localization.\n"
		}
		say.Printf(verdict, target, copied.Dir)
	}
	say.Printf("SUCCESS: localized %q to directory %s\n", target, copied.Dir)
	return nil
}
