package oci_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci"
	"github.com/kubeskiff/skiff/pkg/orchestrator/image"
)

// The tests run real containers, in network and mount namespaces that TestMain makes by running itself again, so that
// no packet leaves the machine and no mount is seen elsewhere.
const (
	insideEnv = "SKIFF_OCI_TEST_INSIDE"
	dirEnv    = "SKIFF_OCI_TEST_DIR"
	imageName = "docker.io/library/tool:1"
)

func TestMain(m *testing.M) {
	if os.Getenv(insideEnv) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			panic(err)
		}
		if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			panic(string(out))
		}
		os.Exit(m.Run())
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "\n*** NOT ROOT: no container is run. The tests of the oci runtime prove little here; CI runs them as root. ***")
		os.Exit(m.Run())
	}
	code, err := outside()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func outside() (int, error) {
	dir, err := os.MkdirTemp("", "skiff-oci-test.")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if err := build(dir); err != nil {
		return 1, err
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1", dirEnv+"="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		if cmd.ProcessState == nil {
			return 1, err
		}
		return cmd.ProcessState.ExitCode(), nil
	}
	return 0, nil
}

// build makes the shim and the tool.
func build(dir string) error {
	shim := exec.Command("go", "build", "-tags", "netgo osusergo seccomp", "-ldflags", `-s -w -linkmode external -extldflags "-static"`,
		"-o", filepath.Join(dir, "skiff-shim"), "github.com/kubeskiff/skiff/cmd/skiff-shim")
	shim.Env = append(os.Environ(), "CGO_ENABLED=1", "CGO_CFLAGS=-O2")
	tool := exec.Command("go", "build", "-o", filepath.Join(dir, "tool"), "./testdata/tool")
	tool.Env = append(os.Environ(), "CGO_ENABLED=0")
	for _, cmd := range []*exec.Cmd{shim, tool} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
	}
	return nil
}

// node is a runtime with its images, and everything needed to open it again.
type node struct {
	t      testing.TB
	cfg    oci.Config
	images *image.Store
	r      *oci.Runtime
	image  container.Image
	logs   string
}

var nodes atomic.Int64

func newNode(t testing.TB) *node { return newNodeWith(t, oci.Config{}) }

func newNodeWith(t testing.TB, cfg oci.Config) *node {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("containers need root")
	}
	dir := t.TempDir()
	images, err := image.New(image.Config{Dir: filepath.Join(dir, "images")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := images.Load(t.Context(), bytes.NewReader(toolImage(t))); err != nil {
		t.Fatal(err)
	}
	img, ok, err := images.Get(t.Context(), imageName)
	if err != nil || !ok {
		t.Fatalf("get image: %v, %v", ok, err)
	}
	cfg.Dir, cfg.Shim, cfg.Images = filepath.Join(dir, "oci"), filepath.Join(os.Getenv(dirEnv), "skiff-shim"), images
	cfg.CgroupRoot = fmt.Sprintf("/skiff-oci-test-%d-%d", os.Getpid(), nodes.Add(1))
	n := &node{t: t, cfg: cfg, images: images, image: img, logs: filepath.Join(dir, "logs")}
	t.Cleanup(n.checkClean)
	n.open()
	return n
}

// open makes a new runtime over the directory, as a new node agent would.
func (n *node) open() {
	n.t.Helper()
	if n.r != nil {
		n.r.Close()
	}
	r, err := oci.New(n.cfg)
	if err != nil {
		n.t.Fatal(err)
	}
	n.r = r
}

// checkClean removes all sandboxes and looks for what they might have left.
func (n *node) checkClean() {
	t, ctx := n.t, context.Background()
	all, err := n.r.Sandboxes(ctx)
	if err != nil {
		t.Error(err)
	}
	for _, s := range all {
		if err := n.r.RemoveSandbox(ctx, s.ID); err != nil {
			t.Errorf("remove sandbox: %v", err)
		}
	}
	if mounts, err := os.ReadFile("/proc/self/mountinfo"); err != nil || strings.Contains(string(mounts), n.cfg.Dir) {
		t.Errorf("mounts are left (%v):\n%s", err, mounts)
	}
	if left, _ := os.ReadDir(filepath.Join(n.cfg.Dir, "sandboxes")); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
	for _, pattern := range []string{"/sys/fs/cgroup" + n.cfg.CgroupRoot + "/*/*", "/sys/fs/cgroup/*" + n.cfg.CgroupRoot + "/*/*"} {
		found, _ := filepath.Glob(pattern)
		for _, f := range found {
			if info, err := os.Stat(f); err == nil && info.IsDir() {
				t.Errorf("cgroup is left: %s", f)
			}
		}
	}
	waitFor(t, "shims to go", func() bool { return len(shims(n.cfg.Dir)) == 0 })
	if err := oci.RemoveCgroups(n.cfg.CgroupRoot); err != nil {
		t.Errorf("remove the node's cgroup: %v", err)
	}
}

// shims lists processes that work below dir.
func shims(dir string) []int {
	var out []int
	procs, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, p := range procs {
		if cwd, err := os.Readlink(p); err == nil && strings.HasPrefix(cwd, dir) {
			var pid int
			fmt.Sscanf(p, "/proc/%d/", &pid)
			out = append(out, pid)
		}
	}
	return out
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func (n *node) sandbox(id string, change ...func(*container.SandboxConfig)) container.Sandbox {
	n.t.Helper()
	c := container.SandboxConfig{ID: id, PodUID: id, Namespace: "default", Name: id, Hostname: "host-" + id, CgroupParent: "burstable/pod" + id}
	for _, f := range change {
		f(&c)
	}
	s, err := n.r.StartSandbox(context.Background(), c)
	if err != nil {
		n.t.Fatal(err)
	}
	if !s.Ready {
		n.t.Fatalf("sandbox %s is not ready", id)
	}
	return s
}

// create makes a container of the tool, as root unless changed.
func (n *node) create(sandbox, id string, args []string, change ...func(*container.ContainerConfig)) string {
	n.t.Helper()
	c := container.ContainerConfig{ID: id, Name: id, ImageID: n.image.ID, ImageRef: imageName, Args: append([]string{"/tool"}, args...),
		LogPath: filepath.Join(n.logs, id, "0.log")}
	for _, f := range change {
		f(&c)
	}
	if err := n.r.CreateContainer(context.Background(), sandbox, c); err != nil {
		n.t.Fatal(err)
	}
	return id
}

func (n *node) start(sandbox, id string, args []string, change ...func(*container.ContainerConfig)) string {
	n.t.Helper()
	n.create(sandbox, id, args, change...)
	if err := n.r.StartContainer(context.Background(), id); err != nil {
		n.t.Fatal(err)
	}
	return id
}

func (n *node) status(id string) container.Container {
	n.t.Helper()
	c, err := n.r.ContainerStatus(context.Background(), id)
	if err != nil {
		n.t.Fatal(err)
	}
	return c
}

func (n *node) waitExit(id string) container.Container {
	n.t.Helper()
	waitFor(n.t, id+" to end", func() bool { return n.status(id).State == container.Exited })
	return n.status(id)
}

// run runs a container to its end and gives what it wrote.
func (n *node) run(sandbox, id string, args []string, change ...func(*container.ContainerConfig)) (string, container.Container) {
	n.t.Helper()
	n.start(sandbox, id, args, change...)
	c := n.waitExit(id)
	return n.output(id), c
}

// output is a container's log without times.
func (n *node) output(id string) string {
	n.t.Helper()
	body, err := os.ReadFile(filepath.Join(n.logs, id, "0.log"))
	if err != nil {
		n.t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(body)) {
		_, rest, _ := strings.Cut(line, " ")
		out.WriteString(rest)
	}
	return out.String()
}

// allOutput is the log with what was set aside of it, in any order.
func (n *node) allOutput(id string) string {
	n.t.Helper()
	files, err := filepath.Glob(filepath.Join(n.logs, id, "0.log*"))
	if err != nil {
		n.t.Fatal(err)
	}
	var out strings.Builder
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			n.t.Fatal(err)
		}
		if strings.HasSuffix(f, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err == nil {
				body, err = io.ReadAll(z)
			}
			if err != nil {
				n.t.Fatal(err)
			}
		}
		out.Write(body)
	}
	return out.String()
}

func (n *node) exec(id string, args ...string) (stdout, stderr string, code int) {
	n.t.Helper()
	var o, e bytes.Buffer
	code, err := n.r.Exec(context.Background(), id, container.ExecConfig{Args: append([]string{"/tool"}, args...),
		Streams: container.Streams{Stdout: &o, Stderr: &e}})
	if err != nil {
		n.t.Fatal(err)
	}
	return o.String(), e.String(), code
}

// toolImage is a docker archive with the tool, users, and a volume.
func toolImage(t testing.TB) []byte {
	t.Helper()
	tool, err := os.ReadFile(filepath.Join(os.Getenv(dirEnv), "tool"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	put := func(name string, mode int64, body []byte) {
		h := &tar.Header{Name: name, Mode: mode, Size: int64(len(body)), Typeflag: tar.TypeReg}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write(body)
	}
	put("tmp/", 0o1777, nil)
	put("etc/", 0o755, nil)
	put("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n"))
	put("etc/group", 0o644, []byte("root:x:0:\napp:x:1001:\nextra:x:1002:app\n"))
	put("data/", 0o750, nil)
	put("data/seed", 0o640, []byte("seed"))
	put("tool", 0o755, tool)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err == nil {
		img, err = mutate.Config(img, v1.Config{Env: []string{"FROM=image", "BOTH=image"}, Volumes: map[string]struct{}{"/data": {}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("tool:1")
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := tarball.Write(tag, img, &archive); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func itoa(n int) string { return strconv.Itoa(n) }
