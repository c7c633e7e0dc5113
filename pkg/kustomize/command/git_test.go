package command

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// repository makes one with a base and an overlay, and a branch that changes the base.
func repository(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repo.git")
	files := map[string]string{
		"base/kustomization.yaml": "resources: [pod.yaml]\n",
		"base/pod.yaml":           "apiVersion: v1\nkind: Pod\nmetadata: {name: main}\n",
		"dev/kustomization.yaml":  "namePrefix: dev-\nresources: [../base]\n",
	}
	write(t, dir, files)
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
	}
	run("init", "--initial-branch=main")
	run("add", ".")
	run("commit", "-m", "one")
	run("checkout", "-b", "other")
	write(t, dir, map[string]string{"base/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: other}\n"})
	run("commit", "-am", "two")
	run("checkout", "main")
	return dir
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(data), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBuildRepository(t *testing.T) {
	repo := "file://" + repository(t)
	t.Setenv("TMPDIR", t.TempDir())
	for query, want := range map[string]string{
		"/dev": "dev-main", "/dev?ref=other": "dev-other", "//base?version=other&submodules=0": "other",
	} {
		dir := t.TempDir()
		write(t, dir, map[string]string{"kustomization.yaml": "resources:\n- " + repo + query + "\n"})
		objects, err := kustomize.Build(kustomize.Disk(), dir, kustomize.Options{Clone: Clone})
		if err != nil || len(objects) != 1 || objects[0].Name() != want {
			t.Errorf("%s: got %v, %v, want %s", query, objects, err, want)
		}
		// The argument of a build may be a URL too.
		objects, err = kustomize.Build(kustomize.Disk(), repo+query, kustomize.Options{Clone: Clone})
		if err != nil || len(objects) != 1 || objects[0].Name() != want {
			t.Errorf("build %s: got %v, %v, want %s", query, objects, err, want)
		}
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "kustomize-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestCloneErrors(t *testing.T) {
	repo := "file://" + repository(t)
	for _, c := range []struct {
		of   kustomize.Repository
		want string
	}{
		{kustomize.Repository{URL: "file:///not/a/repository", Timeout: time.Minute}, "does not appear to be a git repository"},
		{kustomize.Repository{URL: repo, Ref: "none", Timeout: time.Minute}, "none"},
		{kustomize.Repository{URL: repo, Ref: "--upload-pack=true", Timeout: time.Minute}, "would be an option of git"},
		{kustomize.Repository{URL: repo, Timeout: time.Nanosecond}, "hit 1ns timeout running"},
	} {
		_, _, err := Clone(c.of)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want an error with %q", c.of, err, c.want)
		}
	}
	if _, _, err := Clone(kustomize.Repository{URL: repo, Timeout: time.Nanosecond}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline", err)
	}
}
