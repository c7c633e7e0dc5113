package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

func newLoad(f *cli.Factory) *cobra.Command {
	o := &options{}
	return o.command(f, &cobra.Command{
		Use: "load FILE", Short: "Load images from a file", Args: cobra.ExactArgs(1),
		Long: `Load the images of a tar file, as docker save or an OCI layout makes them. "-" reads it from stdin, for a single node.`,
	}, func(ctx context.Context, args []string) error { return o.load(ctx, args[0]) })
}

func (o *options) load(ctx context.Context, file string) error {
	// Before any request, which might start a cluster.
	if err := checkArchive(file); err != nil {
		return err
	}
	sent := false
	return o.each(ctx, func(client *resource.Client, node string) error {
		var in io.Reader = o.io.In
		if file == "-" && sent {
			return errors.New("stdin can be read once only: load a file, or name one node with --node")
		}
		sent = true
		if file != "-" {
			f, err := os.Open(file)
			if err != nil {
				return err
			}
			defer f.Close()
			in = f
		}
		r := request(http.MethodPost, node, "/images/load", nil)
		r.Stream, r.ContentType = in, "application/x-tar"
		body, err := client.Do(ctx, r)
		if err != nil {
			return err
		}
		var refs []string
		if err := json.Unmarshal(body, &refs); err != nil {
			return fmt.Errorf("read the node's answer: %w", err)
		}
		for _, ref := range refs {
			fmt.Fprintf(o.io.Out, "%s loaded to %s\n", ref, node)
		}
		return nil
	})
}

// checkArchive says what is wrong with a file that cannot be an archive; what is in it the node says.
func checkArchive(file string) error {
	if file == "-" {
		return nil
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s: make it with \"docker save -o %s IMAGE\", or have the nodes fetch the image with \"skiff image pull IMAGE\"", file, file)
	case err != nil:
		return fmt.Errorf("read the image archive: %w", err)
	case info.IsDir():
		return fmt.Errorf("%s is a directory: pack the OCI layout first, \"tar -C %s -cf FILE.tar .\", and load FILE.tar", file, file)
	}
	return nil
}

func newRemove(f *cli.Factory) *cobra.Command {
	o := &options{}
	var force bool
	cmd := o.command(f, &cobra.Command{
		Use: "rm IMAGE...", Aliases: []string{"remove"}, Short: "Remove images", Args: cobra.MinimumNArgs(1),
		Long: "Remove images from the nodes. One that a pod uses stays unless --force is given.",
	}, func(ctx context.Context, args []string) error {
		for _, image := range args {
			query := url.Values{"image": {image}, "force": {strconv.FormatBool(force)}}
			if err := o.each(ctx, func(client *resource.Client, node string) error {
				if _, err := client.Do(ctx, request(http.MethodDelete, node, "/images", query)); err != nil {
					return err
				}
				_, err := fmt.Fprintf(o.io.Out, "%s removed from %s\n", image, node)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	cmd.Flags().BoolVar(&force, "force", false, "Also an image that a pod uses.")
	return cmd
}
