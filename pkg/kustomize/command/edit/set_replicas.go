package edit

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) setReplicas() *cobra.Command {
	return e.command("replicas", "Set entries of replicas", "set replicas web=3 worker=1", func(args []string) error {
		replicas, err := kustfile.ParseReplicas(args)
		if err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			f.SetReplicas(replicas)
			return nil
		})
	})
}
