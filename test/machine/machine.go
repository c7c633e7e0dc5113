package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/test/images/build"
)

// Machine is one such machine. Its commands see a PATH that begins with the folder of skiff's own links.
type Machine struct {
	Dir      string // home, data and scratch
	Bin      string // skiff, kubectl, kustomize
	Registry *build.Registry
	// Mirrors is where images come from.
	Mirrors map[string][]string
}

// Root is the checkout's top folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// New makes a machine below the folder for temporary files; Close removes it. The images are made once and kept in .cache/images.
func New(ctx context.Context) (*Machine, error) {
	bin := filepath.Join(Root(), "bin")
	if _, err := os.Stat(filepath.Join(bin, "kubectl")); err != nil {
		return nil, fmt.Errorf("find skiff (run \"make build\" first): %w", err)
	}
	dir, err := os.MkdirTemp("", "skiff-machine-")
	if err != nil {
		return nil, fmt.Errorf("make the machine's folder: %w", err)
	}
	if err := build.All(ctx, images()); err != nil {
		return nil, fmt.Errorf("make images: %w", err)
	}
	registry, err := build.Serve(ctx, images(), "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve images: %w", err)
	}
	m := &Machine{Dir: dir, Bin: bin, Registry: registry, Mirrors: registry.Mirrors()}
	return m, m.configure()
}

// configure writes the defaults of new clusters: no way out, images from here.
func (m *Machine) configure() error {
	data, err := yaml.Marshal(map[string]any{"egress": false, "mirrors": m.Mirrors})
	if err != nil {
		return err
	}
	for _, dir := range []string{m.Home(), m.Data()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make the machine's folders: %w", err)
		}
	}
	return os.WriteFile(filepath.Join(m.Data(), "config.yaml"), data, 0o600)
}

// Home is the user's home directory.
func (m *Machine) Home() string { return filepath.Join(m.Dir, "home") }

// Data is SKIFF_HOME.
func (m *Machine) Data() string { return filepath.Join(m.Dir, "skiff") }

// Cluster is the directory of a cluster.
func (m *Machine) Cluster(name string) string { return filepath.Join(m.Data(), "clusters", name) }

// Env is the environment of its commands.
func (m *Machine) Env() []string {
	return []string{
		"PATH=" + m.Bin + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + m.Home(), "SKIFF_HOME=" + m.Data(), "LANG=C.UTF-8", "TERM=dumb",
	}
}

// Result is what a command did.
type Result struct {
	Stdout, Stderr string
	Code           int
	Took           time.Duration
}

// Command prepares a command of the machine.
func (m *Machine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if !strings.Contains(name, "/") {
		if _, err := os.Stat(filepath.Join(m.Bin, name)); err == nil {
			name = filepath.Join(m.Bin, name)
		}
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = m.Env()
	cmd.Dir = m.Home()
	return cmd
}

// Run runs a command to its end; an error is one of running it, not an exit code.
func (m *Machine) Run(ctx context.Context, name string, args ...string) (Result, error) {
	cmd := m.Command(ctx, name, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	began := time.Now()
	err := cmd.Run()
	r := Result{Stdout: out.String(), Stderr: errOut.String(), Took: time.Since(began)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		r.Code, err = exit.ExitCode(), nil
	}
	return r, err
}

// Must is Run for commands that have to succeed; it gives stdout.
func (m *Machine) Must(ctx context.Context, name string, args ...string) (string, error) {
	r, err := m.Run(ctx, name, args...)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("exit code %d: %s%s", r.Code, r.Stdout, r.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return r.Stdout, nil
}

// Close deletes every cluster and the machine's files, and says what was left behind.
func (m *Machine) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	clusters, _ := filepath.Glob(filepath.Join(m.Data(), "clusters", "*")) // the pattern is well-formed
	var errs []error
	for _, dir := range clusters {
		_, err := m.Must(ctx, "skiff", "cluster", "delete", filepath.Base(dir))
		errs = append(errs, err)
	}
	errs = append(errs, m.Leftovers(), m.Registry.Close(), os.RemoveAll(m.Dir))
	return errors.Join(errs...)
}

// UseInternet has new clusters pull images from the internet, and gives their pods a way out. It is for machines that have one and
// callers that did not Enter.
func (m *Machine) UseInternet() error {
	if err := os.Remove(filepath.Join(m.Data(), "config.yaml")); err != nil {
		return fmt.Errorf("forget the loopback registry: %w", err)
	}
	m.Mirrors = nil
	return nil
}
