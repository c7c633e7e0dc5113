package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/watch"
)

// endOfResult is YAML's mark for the end of a document, by which a reader knows that a result is complete.
const endOfResult = "...\n"

// RenderWatch renders a directory as -k does, and again after each change until ctx ends. A build that comes to what it came
// to before is left out.
func RenderWatch(ctx context.Context, streams shell.IOStreams, dir string) iter.Seq2[[]byte, error] {
	o := Options{IO: streams, Dir: dir, Restrictor: rootOnly}
	return func(yield func([]byte, error) bool) {
		var last []byte
		for objects, err := range o.results(ctx) {
			var out []byte
			if err == nil {
				out, err = kustomize.Write(objects)
			}
			if err == nil && last != nil && bytes.Equal(out, last) {
				continue
			}
			if err == nil {
				last = append([]byte{}, out...)
			}
			if !yield(out, err) {
				return
			}
		}
	}
}

// results builds again after each change. Warnings are given once, and what is remote is fetched once.
func (o *Options) results(ctx context.Context) iter.Seq2[[]*kustomize.Object, error] {
	warned := map[string]bool{}
	c := *o
	c.warn = func(line string) {
		if !warned[line] {
			warned[line] = true
			fmt.Fprintln(o.IO.ErrOut, line)
		}
	}
	return func(yield func([]*kustomize.Object, error) bool) {
		c.again = &memory{files: map[string][]byte{}, clones: map[kustomize.Repository]string{}}
		defer c.again.forget()
		for objects, err := range watch.Results(ctx, func(r *watch.Recorder) ([]*kustomize.Object, error) {
			c.fs = r
			return c.build()
		}) {
			if !yield(objects, err) {
				return
			}
		}
	}
}

// watch writes the result of each build until ctx ends. An error is told, and the files stay as they were.
func (o *Options) watch(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	w := resultWriter{Options: o}
	for objects, err := range o.results(ctx) {
		if err != nil {
			fmt.Fprintf(o.IO.ErrOut, "Error: %v\n", err)
			continue
		}
		changed, err := w.write(objects)
		if err != nil {
			return err
		}
		note := "unchanged"
		if changed {
			note = fmt.Sprintf("%d objects", len(objects))
		}
		fmt.Fprintf(o.IO.ErrOut, "# %s: %s\n", o.Dir, note)
	}
	return nil
}

// resultWriter writes one result after another.
type resultWriter struct {
	*Options
	last    []byte
	started bool
	// files are what it wrote to a directory, by name.
	files map[string][]byte
}

func (w *resultWriter) write(objects []*kustomize.Object) (changed bool, err error) {
	if info, err := os.Stat(w.Output); w.Output != "" && err == nil && info.IsDir() {
		return w.writeFiles(objects)
	}
	out, err := kustomize.Write(objects)
	if err != nil || w.started && bytes.Equal(out, w.last) {
		return false, err
	}
	if w.Output != "" {
		err = replaceFile(w.Output, out)
	} else {
		err = w.print(out)
	}
	w.started, w.last = true, out
	return true, err
}

func (w *resultWriter) print(out []byte) error {
	text := string(out) + endOfResult
	if w.started {
		text = "---\n" + text
	}
	_, err := w.IO.Out.Write([]byte(text))
	return err
}

// writeFiles writes the objects whose files are no longer right, and removes the files of objects that are gone.
func (w *resultWriter) writeFiles(objects []*kustomize.Object) (changed bool, err error) {
	files := make(map[string][]byte, len(objects))
	for i, name := range kustomize.FileNames(objects) {
		if files[name], err = kustomize.Write(objects[i : i+1]); err != nil {
			return false, err
		}
	}
	for name, data := range files {
		if was, ok := w.files[name]; ok && bytes.Equal(was, data) {
			continue
		}
		changed = true
		if err := replaceFile(filepath.Join(w.Output, name), data); err != nil {
			return false, err
		}
	}
	for name := range w.files {
		if _, ok := files[name]; ok {
			continue
		}
		changed = true
		if err := os.Remove(filepath.Join(w.Output, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return false, err
		}
	}
	w.files = files
	return changed, nil
}

// replaceFile writes a file so that nobody ever reads half of it. What is no regular file is written to as it is.
func replaceFile(path string, data []byte) error {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, data, 0o644)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".skiff-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
