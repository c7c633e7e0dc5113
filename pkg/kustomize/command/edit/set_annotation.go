package edit

import (
	"errors"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

// annotationKey is what "set annotation" takes for a key; "add annotation" takes anything.
const annotationKey = `^([a-zA-Z](([-a-zA-Z0-9.]{0,251})[a-zA-Z0-9])?\/)?[a-zA-Z0-9]([-a-zA-Z0-9_.]{0,61}[a-zA-Z0-9])?$`

func (e editor) setAnnotation() *cobra.Command {
	return e.command("annotation", "Set entries of commonAnnotations", "set annotation owner:web", func(args []string) error {
		pairs, err := parsePairs(args, "annotation")
		if err != nil {
			return err
		}
		valid := regexp.MustCompile(annotationKey)
		for key := range pairs {
			if !valid.MatchString(key) {
				return errors.New("invalid annotation key: see the syntax and character set rules at " +
					"https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/")
			}
		}
		return change(func(f *kustfile.File) error {
			return kustfile.AddPairs(&f.CommonAnnotations, pairs, "annotation", true)
		})
	})
}
