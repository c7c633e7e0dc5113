package process

import (
	"bytes"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

func TestFind(t *testing.T) {
	home := t.TempDir()
	at := filepath.Join(home, ".config", "kustomize", "plugin")
	t.Setenv("HOME", home)
	t.Setenv("KUSTOMIZE_PLUGIN_HOME", filepath.Join(home, "none"))
	t.Setenv("XDG_CONFIG_HOME", "")
	var r Runner
	if _, err := r.Find("example.com/v1/f/F"); err == nil || !strings.Contains(err.Error(), "unable to find plugin root - tried: ('"+home+"/none'; homed in") {
		t.Errorf("without a home: got %v", err)
	}
	if err := os.MkdirAll(filepath.Join(at, "example.com/v1/f"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Find("example.com/v1/f/F"); err == nil || !strings.Contains(err.Error(), "no plugin at "+at) {
		t.Errorf("without a plugin: got %v", err)
	}
	path := filepath.Join(at, "example.com/v1/f/F")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Find("example.com/v1/f/F"); err == nil || !strings.Contains(err.Error(), "unexecutable plugin") {
		t.Errorf("a file that cannot be executed: got %v", err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Find("example.com/v1/f/F"); err != nil || got != path {
		t.Errorf("got %s, %v, want %s", got, err, path)
	}
}

func TestRun(t *testing.T) {
	var said bytes.Buffer
	r := Runner{Stderr: &said}
	dir := t.TempDir()
	out, err := r.Run(kustomize.Program{Path: "sh", Args: []string{"-c", "pwd; cat; echo $A; echo said >&2"}, Env: []string{"A=b"}, Dir: dir, Input: []byte("in\n")})
	if want := dir + "\nin\nb\n"; err != nil || string(out) != want || said.String() != "said\n" {
		t.Errorf("got %q and %q, %v, want %q and what it said", out, said.String(), err, want)
	}
	script := filepath.Join(dir, "plugin")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat $1; echo $2 >&2; echo $1 > left; exit $3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err = r.Run(kustomize.Program{Path: script, Args: []string{"x", "0"}, Dir: dir, Config: []byte("config")})
	if err != nil || string(out) != "config" {
		t.Errorf("got %q, %v", out, err)
	}
	left, err := os.ReadFile(filepath.Join(dir, "left"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(strings.TrimSpace(string(left))); !os.IsNotExist(err) {
		t.Errorf("the config is still there: %v", err)
	}
	if _, err = r.Run(kustomize.Program{Path: script, Args: []string{"it is wrong", "3"}, Dir: dir, Config: []byte("config")}); err == nil ||
		err.Error() != "it is wrong\nexit status 3" {
		t.Errorf("got error %v", err)
	}
}

func TestNoDocker(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Runner{}.RunContainer(kustomize.Container{Image: "f:v1", Dir: "/"})
	if err == nil || !strings.Contains(err.Error(), "image f:v1 needs a container, and there is no docker on the PATH") {
		t.Errorf("got %v", err)
	}
}

func TestCurrentUser(t *testing.T) {
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	args, err := dockerArgs(kustomize.Container{Image: "f", AsCurrentUser: true})
	if got := strings.Join(args, " "); err != nil || !strings.Contains(got, "--network none --user "+u.Uid+":"+u.Gid+" ") {
		t.Errorf("got %s, %v", got, err)
	}
}
