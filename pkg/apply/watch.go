package apply

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// watch applies what -k renders, again after each change, or what stdin brings, result by result, until ctx or stdin ends.
// An error is told and the next result tried all the same.
func (o *Options) watch(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	manifests, err := o.manifests(ctx, client.Stdin)
	if err != nil {
		return err
	}
	for manifest, err := range manifests {
		if err == nil {
			err = o.fresh(client, manifest).Run(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			text, _ := cli.Explain(err)
			fmt.Fprint(o.IO.ErrOut, text)
		}
	}
	return nil
}

func (o *Options) manifests(ctx context.Context, stdin io.Reader) (iter.Seq2[[]byte, error], error) {
	switch {
	case o.Query.Kustomize != "" && o.RenderWatch != nil:
		return o.RenderWatch(ctx, o.Query.Kustomize), nil
	case len(o.Query.Filenames) == 1 && o.Query.Filenames[0] == "-":
		return results(stdin), nil
	}
	return nil, errors.New("--watch wants -k DIRECTORY, or -f - with the results of a build that watches")
}

// fresh gives the options for one manifest, without what the one before left behind.
func (o *Options) fresh(client *resource.Client, manifest []byte) *Options {
	one := *o
	one.visited, one.applied, one.namespaces = map[types.UID]bool{}, nil, nil
	client.Stdin = bytes.NewReader(manifest)
	client.Kustomize = func(string) ([]byte, error) { return manifest, nil }
	one.Client = func() (*resource.Client, error) { return client, nil }
	return &one
}

// results splits a stream at the lines "...", by which "kustomize build --watch" ends each result.
func results(stream io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		lines := bufio.NewReader(stream)
		var result []byte
		for {
			line, err := lines.ReadBytes('\n')
			end := string(bytes.TrimRight(line, "\r\n")) == "..."
			if !end {
				result = append(result, line...)
			}
			if (end || err != nil) && len(bytes.TrimSpace(result)) > 0 {
				if !yield(result, nil) {
					return
				}
				result = nil
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, fmt.Errorf("read stdin: %w", err))
			}
			if err != nil {
				return
			}
		}
	}
}
