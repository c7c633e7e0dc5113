package watch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// limit is how long a test may wait for a change to be seen.
const limit = 20 * time.Second

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// read joins what is in files, with "-" for what is not there.
func read(files ...string) func(*Recorder) (string, error) {
	return func(r *Recorder) (string, error) {
		out := ""
		for _, f := range files {
			if data, err := r.ReadFile(f); err == nil {
				out += string(data)
			} else {
				out += "-"
			}
		}
		return out, nil
	}
}

// TestResults changes what a build has read, each time after it came to a result, and wants to see the next one.
func TestResults(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "sub", "deep", "b")
	write(t, a, "1")
	steps := []struct {
		do   func()
		want string
	}{
		{func() { write(t, filepath.Join(dir, "unread"), "x"); write(t, a, "22") }, "22-"},
		{func() { write(t, b, "b") }, "22b"},
		{func() {
			// As editors save: a new file is renamed over the old one.
			write(t, a+"~", "33")
			if err := os.Rename(a+"~", a); err != nil {
				t.Fatal(err)
			}
		}, "33b"},
		{func() {
			if err := os.Rename(filepath.Join(dir, "sub"), filepath.Join(dir, "gone")); err != nil {
				t.Fatal(err)
			}
		}, "33-"},
		{func() {
			write(t, filepath.Join(dir, "other"), "link")
			if err := errors.Join(os.Remove(a), os.Symlink("other", a)); err != nil {
				t.Fatal(err)
			}
		}, "link-"},
		{func() { write(t, filepath.Join(dir, "other"), "far") }, "far-"},
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	want, i := "1-", 0
	for got, err := range Results(ctx, read(a, b)) {
		if err != nil || got != want {
			t.Fatalf("step %d: got %q, %v, want %q", i, got, err, want)
		}
		if i == len(steps) {
			return
		}
		want = steps[i].want
		steps[i].do()
		i++
	}
	t.Fatalf("ended before step %d: %v", i, ctx.Err())
}

func TestResultsGoOnAfterErrors(t *testing.T) {
	a := filepath.Join(t.TempDir(), "a")
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var got []string
	for text, err := range Results(ctx, func(r *Recorder) (string, error) {
		data, err := r.ReadFile(a)
		return string(data), err
	}) {
		if err != nil {
			got = append(got, "error")
			write(t, a, "fine")
			continue
		}
		got = append(got, text)
		break
	}
	if want := []string{"error", "fine"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestResultsEndWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	count := 0
	for range Results(ctx, read(filepath.Join(t.TempDir(), "a"))) {
		count++
		cancel()
	}
	if count != 1 {
		t.Errorf("got %d results, want 1", count)
	}
}

func TestChanged(t *testing.T) {
	dir := t.TempDir()
	read, tree := filepath.Join(dir, "read"), filepath.Join(dir, "tree")
	write(t, read, "1")
	write(t, filepath.Join(tree, "x"), "1")
	for name, change := range map[string]struct {
		do   func()
		want bool
	}{
		"nothing":                     {func() {}, false},
		"a file beside it":            {func() { write(t, filepath.Join(dir, "beside"), "1") }, false},
		"its mode":                    {func() { os.Chmod(read, 0o600) }, true},
		"its size":                    {func() { write(t, read, "more") }, true},
		"its removal":                 {func() { os.Remove(read) }, true},
		"a new file of a listed tree": {func() { write(t, filepath.Join(tree, "new"), "1") }, true},
		"a file in a listed tree":     {func() { write(t, filepath.Join(tree, "x"), "more") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, read, "1")
			if err := errors.Join(os.Chmod(read, 0o644), os.RemoveAll(tree)); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(tree, "x"), "1")
			r := newRecorder()
			if _, err := r.ReadFile(read); err != nil {
				t.Fatal(err)
			}
			r.Tree(tree)
			change.do()
			if got := r.changed(); got != change.want {
				t.Errorf("got %v, want %v", got, change.want)
			}
		})
	}
}
