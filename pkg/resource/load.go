package resource

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/yaml"
)

// manifestExtensions are those that a directory is searched for.
var manifestExtensions = []string{".json", ".yaml", ".yml"}

// source is one place that manifests come from.
type source struct {
	name string // as messages say it
	open func(ctx context.Context) (io.ReadCloser, error)
}

// sources lists where a Query's files are. single says that one plain file was named.
func (c *Client) sources(q Query) (out []source, single bool, err error) {
	var errs []error
	var stdin bool
	dir := false
	for _, name := range q.Filenames {
		switch {
		case name == "-":
			if stdin {
				return nil, false, fmt.Errorf("standard input cannot be used for multiple arguments")
			}
			stdin = true
			out = append(out, source{"STDIN", func(context.Context) (io.ReadCloser, error) { return io.NopCloser(c.Stdin), nil }})
		case strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://"):
			if _, err := url.Parse(name); err != nil {
				errs = append(errs, fmt.Errorf("the URL passed to filename %q is not valid: %v", name, err))
				continue
			}
			out = append(out, source{name, func(ctx context.Context) (io.ReadCloser, error) { return openURL(ctx, name) }})
		default:
			files, isDir, err := expandPath(name, q.Recursive)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			dir = dir || isDir
			out = append(out, files...)
		}
	}
	if q.Kustomize != "" {
		out = append(out, source{q.Kustomize, func(context.Context) (io.ReadCloser, error) {
			if c.Kustomize == nil {
				return nil, fmt.Errorf("this build has no kustomize engine")
			}
			data, err := c.Kustomize(q.Kustomize)
			return io.NopCloser(bytes.NewReader(data)), err
		}})
		dir = true
	}
	return out, !dir && !stdin && len(out) == 1, aggregate(errs)
}

// expandPath gives the files behind a path, which may be a pattern or a directory.
func expandPath(name string, recursive bool) (files []source, dir bool, err error) {
	paths := []string{name}
	if _, err := os.Stat(name); os.IsNotExist(err) {
		paths, err = filepath.Glob(name)
		if err != nil {
			return nil, false, fmt.Errorf("pattern %q is not valid: %v", name, err)
		}
		if len(paths) == 0 {
			return nil, false, fmt.Errorf("the path %q does not exist", name)
		}
	} else if err != nil {
		return nil, false, fmt.Errorf("the path %q cannot be accessed: %v", name, err)
	}
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case path != root && d.IsDir() && !recursive:
				return filepath.SkipDir
			case path == root:
				if info, err := os.Stat(path); err != nil || info.IsDir() {
					dir = true
					return err
				}
			case d.IsDir() || !slices.Contains(manifestExtensions, filepath.Ext(path)):
				return nil
			}
			files = append(files, source{path, func(context.Context) (io.ReadCloser, error) { return os.Open(path) }})
			return nil
		})
		if err != nil {
			return nil, dir, fmt.Errorf("error reading %q: %v", root, err)
		}
	}
	if len(files) == 0 {
		return nil, dir, fmt.Errorf("error reading %v: recognized file extensions are %v", paths, manifestExtensions)
	}
	return files, len(files) > 1 || len(paths) > 1, nil
}

// urlAttempts is how often a URL is read before its server's errors are believed.
const urlAttempts = 3

func openURL(ctx context.Context, u string) (io.ReadCloser, error) {
	var last error
	for i := range urlAttempts {
		if i > 0 {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			last = err
			continue
		}
		if resp.StatusCode == http.StatusOK {
			return resp.Body, nil
		}
		resp.Body.Close()
		last = fmt.Errorf("unable to read URL %q, server reported %s, status code=%d", u, resp.Status, resp.StatusCode)
		if resp.StatusCode < 500 {
			break
		}
	}
	return nil, last
}

// documents gives the JSON of each document of a stream, YAML or JSON.
func documents(r io.Reader, name string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		dec := yaml.NewYAMLOrJSONDecoder(skipBOM(r), 4096)
		for {
			var raw rawDocument
			if err := dec.Decode(&raw); err != nil {
				if err != io.EOF {
					yield(nil, fmt.Errorf("error parsing %s: %v", name, err))
				}
				return
			}
			doc := bytes.TrimSpace(raw)
			if len(doc) == 0 || string(doc) == "null" {
				continue
			}
			if !yield(doc, nil) {
				return
			}
		}
	}
}

// rawDocument keeps a document's JSON as it is.
type rawDocument []byte

func (d *rawDocument) UnmarshalJSON(data []byte) error {
	*d = append((*d)[:0], data...)
	return nil
}

func skipBOM(r io.Reader) io.Reader {
	head := make([]byte, 3)
	n, _ := io.ReadFull(r, head)
	if n == 3 && string(head) == "\xef\xbb\xbf" {
		return r
	}
	return io.MultiReader(bytes.NewReader(head[:n]), r)
}
