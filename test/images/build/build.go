// Package build makes the images of tests and of the demonstration without a registry to pull from: Redis out of
// Debian's packages, our own hello program, and busybox, as real OCI images under the names that the tutorials use. It
// serves them from a registry on this machine. Making them needs apt's archive; serving them needs nothing.
package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// The names of the images.
const (
	Redis   = "docker.io/library/redis:5.0.4"
	Hello1  = "gcr.io/google-samples/node-hello:1.0"
	Hello2  = "gcr.io/google-samples/node-hello:2.0"
	Busybox = "docker.io/library/busybox:1.36"
)

const nameAnnotation = "org.opencontainers.image.ref.name"

// All makes every image below dir, as an OCI layout in dir/layout, unless it is there already.
func All(ctx context.Context, dir string) error {
	if _, err := os.Stat(layoutDir(dir)); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	images, err := makeAll(ctx, dir)
	if err != nil {
		return fmt.Errorf("make images: %w", err)
	}
	tmp, err := os.MkdirTemp(dir, "layout.")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	p, err := layout.Write(tmp, empty.Index)
	if err != nil {
		return err
	}
	for name, img := range images {
		if err := p.AppendImage(img, layout.WithAnnotations(map[string]string{nameAnnotation: name})); err != nil {
			return fmt.Errorf("write image %s: %w", name, err)
		}
	}
	if err := os.Rename(tmp, layoutDir(dir)); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

func layoutDir(dir string) string { return filepath.Join(dir, "layout") }

func makeAll(ctx context.Context, dir string) (map[string]v1.Image, error) {
	base, err := busyboxLayer(ctx, dir)
	if err != nil {
		return nil, err
	}
	redis, err := redisLayer(ctx, dir)
	if err != nil {
		return nil, err
	}
	hello, err := helloLayer(ctx, dir)
	if err != nil {
		return nil, err
	}
	images := map[string]v1.Image{}
	add := func(name string, config v1.Config, layers ...*layer) error {
		img, err := compose(config, layers...)
		images[name] = img
		return err
	}
	path := "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	ports := func(p string) map[string]struct{} { return map[string]struct{}{p: {}} }
	return images, errors.Join(
		add(Busybox, v1.Config{Env: []string{path}, Cmd: []string{"sh"}}, base),
		add(Redis, v1.Config{Env: []string{path, "REDIS_VERSION=5.0.4"}, Cmd: []string{"redis-server"}, WorkingDir: "/data",
			ExposedPorts: ports("6379/tcp"), Volumes: ports("/data")}, base, redis),
		add(Hello1, v1.Config{Env: []string{path, "VERSION=1.0"}, Cmd: []string{"/hello"}, ExposedPorts: ports("8080/tcp")}, hello),
		add(Hello2, v1.Config{Env: []string{path, "VERSION=2.0"}, Cmd: []string{"/hello"}, ExposedPorts: ports("8080/tcp")}, hello),
	)
}

// compose makes an image of layers and a configuration.
func compose(config v1.Config, layers ...*layer) (v1.Image, error) {
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	for _, l := range layers {
		made, err := l.image()
		if err != nil {
			return nil, err
		}
		if img, err = mutate.Append(img, mutate.Addendum{Layer: made, MediaType: types.OCILayer}); err != nil {
			return nil, err
		}
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", runtime.GOARCH, config
	file.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	return mutate.ConfigFile(img, file)
}

// busyboxLayer is a small system: a shell and its tools, users, and directories.
func busyboxLayer(ctx context.Context, dir string) (*layer, error) {
	debs, err := packages(ctx, filepath.Join(dir, "debs"), "busybox-static")
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp(dir, "busybox.")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", debs[0], scratch).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("dpkg-deb: %w\n%s", err, out)
	}
	program := filepath.Join(scratch, "bin", "busybox")
	body, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	applets, err := exec.CommandContext(ctx, program, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("list busybox's tools: %w", err)
	}
	l := newLayer()
	for _, d := range []string{"bin", "etc", "home", "proc", "sys", "dev", "usr", "usr/bin", "var"} {
		l.dir(d, 0o755)
	}
	l.dir("root", 0o700)
	l.dir("tmp", 0o1777)
	l.file("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nredis:x:999:999::/data:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n"))
	l.file("etc/group", 0o644, []byte("root:x:0:\nredis:x:999:\nnogroup:x:65534:\n"))
	l.file("bin/busybox", 0o755, body)
	for name := range strings.FieldsSeq(string(applets)) {
		if name != "busybox" {
			l.link("bin/"+name, "/bin/busybox")
		}
	}
	return l, nil
}

func redisLayer(ctx context.Context, dir string) (*layer, error) {
	programs := []string{"redis-server", "redis-tools"}
	libs, err := libraries(ctx, programs...)
	if err != nil {
		return nil, err
	}
	debs, err := packages(ctx, filepath.Join(dir, "debs"), append(programs, libs...)...)
	if err != nil {
		return nil, err
	}
	l := newLayer()
	l.dir("data", 0o777)
	if err := l.packages(ctx, debs); err != nil {
		return nil, err
	}
	return l, nil
}

// helloLayer compiles the hello program for any Linux of this architecture.
func helloLayer(ctx context.Context, dir string) (*layer, error) {
	program := filepath.Join(dir, "hello")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program,
		"github.com/kubeskiff/skiff/test/images/hello")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		cmd.Dir = filepath.Dir(file) // inside the module, wherever the caller works
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build hello: %w\n%s", err, out)
	}
	body, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	l := newLayer()
	l.dir("tmp", 0o1777)
	l.file("hello", 0o755, body)
	return l, nil
}
