// Package process runs the programs and containers of kustomize's functions and plugins as processes of the machine:
// containers by way of an executable called docker. It knows no kustomizations and decides nothing: what may run, the engine
// has asked before.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// Runner runs what a build asks for.
type Runner struct {
	// Stderr receives what functions write to theirs.
	Stderr io.Writer
}

var _ kustomize.Runner = Runner{}

// Find looks for the executable of a plugin in the plugin home.
func (r Runner) Find(plugin string) (string, error) {
	home, err := pluginHome()
	if err != nil {
		return "", err
	}
	path := filepath.Join(home, filepath.FromSlash(plugin))
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("no plugin at %s: put an executable there (plugins in Go, %s.so, are not supported)", path, path)
	}
	if err != nil {
		return "", err
	}
	if info.Mode()&0o111 == 0 && runtime.GOOS != "windows" {
		return "", fmt.Errorf("unexecutable plugin at: %s", path)
	}
	return path, nil
}

// pluginHome is the first directory that exists of those which may hold plugins.
func pluginHome() (string, error) {
	user := os.Getenv("HOME")
	if runtime.GOOS == "windows" {
		user = os.Getenv("USERPROFILE")
	}
	config := os.Getenv("XDG_CONFIG_HOME")
	if config != "" {
		config = filepath.Join(config, "kustomize", "plugin")
	}
	var tried []string
	for _, at := range []struct{ dir, note string }{
		{os.Getenv("KUSTOMIZE_PLUGIN_HOME"), "homed in $KUSTOMIZE_PLUGIN_HOME"},
		{config, "homed in $XDG_CONFIG_HOME"},
		{filepath.Join(user, ".config", "kustomize", "plugin"), "homed in default value of $XDG_CONFIG_HOME"},
		{filepath.Join(user, "kustomize", "plugin"), "homed in home directory"},
	} {
		dir := "<no value>"
		if at.dir != "" {
			if _, err := os.Stat(at.dir); err == nil {
				return at.dir, nil
			}
			dir = at.dir
		}
		tried = append(tried, "('"+dir+"'; "+at.note+")")
	}
	return "", fmt.Errorf("unable to find plugin root - tried: %s", strings.Join(tried, ", "))
}

// Run runs a program.
func (r Runner) Run(p kustomize.Program) ([]byte, error) {
	if p.Config == nil {
		return r.run(exec.Command(p.Path, p.Args...), p, r.Stderr)
	}
	f, err := os.CreateTemp("", "kust-plugin-config-")
	if err != nil {
		return nil, fmt.Errorf("creating tmp plugin config file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(p.Config)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("writing plugin config to %s: %w", f.Name(), err)
	}
	var said bytes.Buffer
	out, err := r.run(exec.Command(p.Path, append([]string{f.Name()}, p.Args...)...), p, &said)
	if err != nil {
		return nil, fmt.Errorf("%s%w", said.Bytes(), err)
	}
	return out, nil
}

func (r Runner) run(cmd *exec.Cmd, p kustomize.Program, stderr io.Writer) ([]byte, error) {
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(p.Input), stderr
	// A build that does not read the disk has directories that are not there.
	if _, err := os.Stat(p.Dir); err == nil {
		cmd.Dir = p.Dir
	}
	return cmd.Output()
}
