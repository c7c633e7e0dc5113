package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// progress is one line of a pull.
type progress struct {
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
	Image *info  `json:"image"`
	Error string `json:"error"`
}

func newPull(f *cli.Factory) *cobra.Command {
	o := &options{}
	return o.command(f, &cobra.Command{
		Use: "pull IMAGE...", Short: "Pull images", Long: "Have the nodes pull images now, as they would for a pod.", Args: cobra.MinimumNArgs(1),
	}, func(ctx context.Context, args []string) error {
		for _, image := range args {
			if err := o.each(ctx, func(client *resource.Client, node string) error { return o.pull(ctx, client, node, image) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// pull follows a pull to its end; on a terminal one line says how far it is.
func (o *options) pull(ctx context.Context, client *resource.Client, node, image string) error {
	resp, err := client.Open(ctx, request(http.MethodPost, node, "/images/pull", url.Values{"image": {image}}))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	live := cli.IsTerminal(o.io.ErrOut)
	for dec := json.NewDecoder(resp.Body); ; {
		var p progress
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return errors.New("the node's answer ended before the pull did")
		} else if err != nil {
			return fmt.Errorf("read the node's answer: %w", err)
		}
		if live {
			fmt.Fprintf(o.io.ErrOut, "\r\x1b[K%s: %s of %s", image, size(p.Done), size(p.Total))
		}
		if p.Image == nil && p.Error == "" {
			continue
		}
		if live {
			fmt.Fprint(o.io.ErrOut, "\r\x1b[K")
		}
		if p.Error != "" {
			return errors.New(p.Error)
		}
		_, err := fmt.Fprintf(o.io.Out, "%s pulled to %s (%s)\n", image, node, size(p.Image.Size))
		return err
	}
}
