package edit

import (
	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/kustomize/kustfile"
)

func (e editor) setImage() *cobra.Command {
	cmd := e.command("image", "Set entries of images", "", func(args []string) error {
		images, err := kustfile.ParseImages(args)
		if err != nil {
			return err
		}
		return change(func(f *kustfile.File) error {
			f.SetImages(images)
			return nil
		})
	})
	cmd.Long = `Set the new name, tag or digest of images, one an argument: IMAGE:TAG, IMAGE@DIGEST, IMAGE=NAME, IMAGE=NAME:TAG,
IMAGE=NAME@DIGEST or IMAGE=NAME:TAG@DIGEST. What an argument leaves out is taken out of the file; an asterisk in the place
of a name, tag or digest leaves what the file says.`
	cmd.Example = e.example("set image nginx:1.29", "set image nginx=registry.example.com/nginx:1.29 redis=*:8", "set image 'nginx=*@sha256:24a0c4b4...'")
	return cmd
}
