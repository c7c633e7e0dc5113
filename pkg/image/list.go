package image

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// info is what a node's agent says of an image.
type info struct {
	ID          string   `json:"id"`
	RepoTags    []string `json:"repoTags"`
	RepoDigests []string `json:"repoDigests"`
	Size        int64    `json:"size"`
}

func newList(f *cli.Factory) *cobra.Command {
	o := &options{}
	var output string
	cmd := o.command(f, &cobra.Command{
		Use: "ls", Aliases: []string{"list"}, Short: "List the images", Long: "List the images of the nodes, each image once.", Args: cobra.NoArgs,
	}, func(ctx context.Context, _ []string) error { return o.list(ctx, output) })
	cmd.Flags().StringVarP(&output, "output", "o", "", `"json" or a table.`)
	return cmd
}

func (o *options) list(ctx context.Context, output string) error {
	if output != "" && output != "json" {
		return fmt.Errorf("unable to match a printer suitable for the output format %q, allowed formats are: json", output)
	}
	images := []info{}
	seen := map[string]bool{}
	err := o.each(ctx, func(client *resource.Client, node string) error {
		body, err := client.Do(ctx, request(http.MethodGet, node, "/images", nil))
		if err != nil {
			return err
		}
		var list []info
		if err := json.Unmarshal(body, &list); err != nil {
			return fmt.Errorf("read the node's answer: %w", err)
		}
		for _, i := range list {
			if !seen[i.ID] {
				seen[i.ID] = true
				images = append(images, i)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(images, func(a, b info) int { return cmp.Compare(strings.Join(a.names(), ","), strings.Join(b.names(), ",")) })
	if output == "json" {
		enc := json.NewEncoder(o.io.Out)
		enc.SetIndent("", "    ")
		return enc.Encode(images)
	}
	w := tabwriter.NewWriter(o.io.Out, 0, 8, 3, ' ', 0)
	fmt.Fprintln(w, "IMAGE\tID\tSIZE")
	for _, i := range images {
		for _, name := range i.names() {
			fmt.Fprintf(w, "%s\t%s\t%s\n", name, shortID(i.ID), size(i.Size))
		}
	}
	return w.Flush()
}

// names are the tags, or for an image without any the digests.
func (i info) names() []string {
	switch {
	case len(i.RepoTags) > 0:
		return i.RepoTags
	case len(i.RepoDigests) > 0:
		return i.RepoDigests
	}
	return []string{"<none>"}
}

func shortID(id string) string {
	_, hex, ok := strings.Cut(id, ":")
	if !ok {
		hex = id
	}
	return hex[:min(12, len(hex))]
}

// size writes bytes as people read them.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2fGB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1fMB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1fkB", float64(n)/1e3)
	}
	return fmt.Sprintf("%dB", n)
}
