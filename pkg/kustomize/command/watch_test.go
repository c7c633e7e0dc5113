package command

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubeskiff/skiff/pkg/cli"
)

const limit = 20 * time.Second

// watching starts a watch of dir and gives a function that reads its next result.
func watching(t *testing.T, o Options) (next func() string) {
	t.Helper()
	out, in := io.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	o.IO = cli.IOStreams{Out: in, ErrOut: io.Discard}
	done := make(chan error)
	go func() {
		done <- o.watch(ctx)
		in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		out.Close()
		if err := <-done; err != nil {
			t.Errorf("got %v, want the watch to end without an error", err)
		}
	})
	lines := bufio.NewReader(out)
	return func() string {
		var b strings.Builder
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatalf("after %q: %v", b.String(), err)
			}
			if line == endOfResult {
				return b.String()
			}
			b.WriteString(line)
		}
	}
}

func configMap(value string) string {
	return "apiVersion: v1\ndata:\n  a: " + value + "\nkind: ConfigMap\nmetadata:\n  name: c\n"
}

func TestWatchPrintsEachResult(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"kustomization.yaml": "resources: [c.yaml]\n", "c.yaml": configMap("one")})
	next := watching(t, Options{Dir: dir, Restrictor: rootOnly})
	if got, want := next(), configMap("one"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// A build that fails, and one that comes to the same, print nothing.
	// Each is put in place whole: a file that is being written is empty for a moment, which is a result of its own.
	aside := t.TempDir()
	for _, text := range []string{"no: [yaml", configMap("one") + "# a comment\n", configMap("two")} {
		write(t, aside, map[string]string{"c.yaml": text})
		if err := os.Rename(filepath.Join(aside, "c.yaml"), filepath.Join(dir, "c.yaml")); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := next(), "---\n"+configMap("two"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestResultWriterKeepsDirectory(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	write(t, out, map[string]string{"mine.txt": "mine"})
	w := resultWriter{Options: &Options{Dir: dir, Output: out, Restrictor: rootOnly}}
	for _, step := range []struct {
		kustomization string
		changed       bool
		files         string
	}{
		{"configMapGenerator: [{name: a, options: {disableNameSuffixHash: true}}, {name: b, options: {disableNameSuffixHash: true}}]", true, "mine.txt v1_configmap_a.yaml v1_configmap_b.yaml"},
		{"configMapGenerator: [{name: a, options: {disableNameSuffixHash: true}}]", true, "mine.txt v1_configmap_a.yaml"},
		{"configMapGenerator: [{name: a, options: {disableNameSuffixHash: true}}] # the same", false, "mine.txt v1_configmap_a.yaml"},
	} {
		write(t, dir, map[string]string{"kustomization.yaml": step.kustomization})
		objects, err := w.build()
		if err != nil {
			t.Fatal(err)
		}
		changed, err := w.write(objects)
		if err != nil || changed != step.changed {
			t.Errorf("%s: got %v, %v, want %v", step.kustomization, changed, err, step.changed)
		}
		entries, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if got := strings.Join(names, " "); got != step.files {
			t.Errorf("got %s, want %s", got, step.files)
		}
	}
}

func TestReplaceFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.yaml")
	for _, text := range []string{"one", "two"} {
		if err := replaceFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("got %d files, want 1", len(entries))
	}
	if err := replaceFile(filepath.Join(path, "below"), nil); err == nil {
		t.Error("got no error")
	}
}
