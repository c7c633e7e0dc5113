package kustomize_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata/kustomize; with KUSTOMIZE set to the real one, by it")

// TestGolden builds each tree below testdata/kustomize: a comment "build DIR" says which directory, want.yaml what comes
// out. A tree with want.err instead must fail with each of its lines in the message.
func TestGolden(t *testing.T) {
	for _, file := range goldenFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func goldenFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/kustomize/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	return files
}

// readGolden gives a case's files, the directory to build, and what is wanted of it by the names of the files that say so.
func readGolden(t *testing.T, file string) (a *txtar.Archive, tree map[string]string, dir string, want map[string]string) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir = "/work"
	if rest, ok := strings.CutPrefix(string(a.Comment), "build "); ok {
		dir = "/work/" + strings.TrimSpace(rest)
	}
	tree, want = map[string]string{}, map[string]string{}
	for _, f := range a.Files {
		if strings.HasPrefix(f.Name, "want.") {
			want[f.Name] = string(f.Data)
		} else {
			tree["/work/"+f.Name] = string(f.Data)
		}
	}
	return a, tree, dir, want
}

func golden(t *testing.T, file string) {
	a, tree, dir, want := readGolden(t, file)
	out, err := build(kustomize.Memory(tree), dir)
	if *update {
		rewrite(t, file, a, tree, dir, out, err)
		return
	}
	if text, ok := want["want.err"]; ok {
		checkError(t, err, text)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := string(out); got != want["want.yaml"] {
		t.Errorf("got:\n%s\nwant:\n%s", got, want["want.yaml"])
	}
}

// TestGoldenAtOnce builds all golden trees at the same time, out of one file system; it is for the race detector.
func TestGoldenAtOnce(t *testing.T) {
	tree, want := map[string]string{}, map[string]string{}
	for _, file := range goldenFiles(t) {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		root := "/" + filepath.Base(file)
		dir, _ := strings.CutPrefix(string(a.Comment), "build ")
		for _, f := range a.Files {
			if tree[root+"/"+f.Name] = string(f.Data); f.Name == "want.yaml" {
				want[root+"/"+strings.TrimSpace(dir)] = string(f.Data)
			}
		}
	}
	shared := kustomize.Memory(tree)
	var wg sync.WaitGroup
	for dir, text := range want {
		wg.Go(func() {
			if out, err := build(shared, dir); err != nil || string(out) != text {
				t.Errorf("%s: got (%v):\n%s\nwant:\n%s", dir, err, out, text)
			}
		})
	}
	wg.Wait()
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatal("got no error")
	}
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); !strings.Contains(err.Error(), line) {
			t.Errorf("got error %q, want one with %q", err, line)
		}
	}
}

func build(fs kustomize.FileSystem, dir string) ([]byte, error) {
	objects, err := kustomize.Build(fs, dir, kustomize.Options{})
	if err != nil {
		return nil, err
	}
	return kustomize.Write(objects)
}

// rewrite puts what came out into the file. The real kustomize, if there is one, has the last word on it.
func rewrite(t *testing.T, file string, a *txtar.Archive, tree map[string]string, dir string, out []byte, err error) {
	t.Helper()
	if real := os.Getenv("KUSTOMIZE"); real != "" {
		got, errReal := runReal(t, real, tree, dir)
		if (errReal == nil) != (err == nil) {
			t.Errorf("the real one says %v, ours %v", errReal, err)
			return
		}
		if err == nil && !bytes.Equal(got, out) {
			t.Errorf("got:\n%s\nthe real one:\n%s", out, got)
			out = got
		}
	}
	kept := a.Files[:0]
	for _, f := range a.Files {
		if !strings.HasPrefix(f.Name, "want.") {
			kept = append(kept, f)
		}
	}
	if err != nil {
		kept = append(kept, txtar.File{Name: "want.err", Data: []byte(strings.ReplaceAll(err.Error(), "\n\n", "\n") + "\n")})
	} else {
		kept = append(kept, txtar.File{Name: "want.yaml", Data: out})
	}
	a.Files = kept
	if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

func runReal(t *testing.T, real string, tree map[string]string, dir string) ([]byte, error) {
	t.Helper()
	root := t.TempDir()
	for name, data := range tree {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(data), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	var errs bytes.Buffer
	cmd := exec.Command(real, "build", filepath.Join(root, dir))
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New(errs.String())
	}
	return out, nil
}
