package oci_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func TestIsolation(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "c", []string{"forever"})
	status, _, _ := n.exec("c", "status")
	for _, want := range []string{
		"CapEff:\t00000000a80425fb", "CapBnd:\t00000000a80425fb", "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000",
		"NoNewPrivs:\t0", "Seccomp:\t0",
	} {
		if !strings.Contains(status, want) {
			t.Errorf("status lacks %q:\n%s", want, status)
		}
	}
	for _, test := range []struct {
		args      []string
		out, errs string
		code      int
	}{
		{args: []string{"where"}, out: "cwd=/ host=host-a uid=0 gid=0 groups=[0] pid="},
		{args: []string{"read", "/etc/hostname"}, out: "host-a\n"},
		{args: []string{"read", "/proc/keys"}, out: ""},
		{args: []string{"ls", "/sys/firmware"}, out: ""},
		{args: []string{"write", "/proc/sys/kernel/domainname", "x"}, errs: "read-only file system", code: 1},
		{args: []string{"write", "/sys/kernel/uevent_helper", "x"}, errs: "read-only file system", code: 1},
		{args: []string{"mknod", "/tmp/disk"}, errs: "operation not permitted", code: 1},
		{args: []string{"ls", "/dev"}, out: "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n"},
		{args: []string{"read", "/data/seed"}, out: "seed"},
		{args: []string{"read", "/proc/self/oom_score_adj"}, out: "0\n"},
		{args: []string{"unshare"}, out: "operation not permitted\n"},
	} {
		out, errs, code := n.exec("c", test.args...)
		if !strings.HasPrefix(out, test.out) || (test.out == "" && out != "") || !strings.Contains(errs, test.errs) || code != test.code {
			t.Errorf("%v: got %q, %q, %d", test.args, out, errs, code)
		}
	}
}

func TestSecurity(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	for _, test := range []struct {
		name   string
		change func(*container.ContainerConfig)
		args   []string
		want   string
	}{
		{"drop all", func(c *container.ContainerConfig) {
			c.Security.DropCapabilities, c.Security.AddCapabilities = []string{"ALL"}, []string{"NET_BIND_SERVICE"}
		}, []string{"status"}, "CapEff:\t0000000000000400"},
		{"no new privileges", func(c *container.ContainerConfig) { c.Security.NoNewPrivileges = true }, []string{"status"}, "NoNewPrivs:\t1"},
		{"seccomp", func(c *container.ContainerConfig) { c.Security.Seccomp = "runtime/default" }, []string{"status"}, "Seccomp:\t2"},
		{"seccomp refuses", func(c *container.ContainerConfig) {
			c.Security.Seccomp = "runtime/default"
		}, []string{"unshare"}, "operation not permitted"},
		{"user by name", func(c *container.ContainerConfig) { c.Security.UID, c.Security.Username = -1, "app" },
			[]string{"where"}, "uid=1000 gid=1001 groups=[1001 1002]"},
		{"groups", func(c *container.ContainerConfig) {
			c.Security.UID, c.Security.GID, c.Security.Groups = 5, 6, []int64{7}
		}, []string{"where"}, "uid=5 gid=6 groups=[6 7]"},
		{"read-only root", func(c *container.ContainerConfig) { c.Security.ReadOnlyRoot = true },
			[]string{"write", "/file", "x"}, "read-only file system"},
		{"image volume under a read-only root", func(c *container.ContainerConfig) { c.Security.ReadOnlyRoot = true },
			[]string{"write", "/data/file", "x"}, ""},
		{"privileged", func(c *container.ContainerConfig) { c.Security.Privileged = true }, []string{"unshare"}, "<nil>"},
		{"score", func(c *container.ContainerConfig) { c.Resources.OOMScoreAdj = 900 }, []string{"read", "/proc/self/oom_score_adj"}, "900"},
		{"score below what we may", func(c *container.ContainerConfig) { c.Resources.OOMScoreAdj = -999 }, []string{"where"}, "uid=0"},
		{"environment", func(c *container.ContainerConfig) { c.Env = []string{"BOTH=pod"} }, []string{"env"}, "BOTH=pod"},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := strings.ReplaceAll(test.name, " ", "-")
			out, c := n.run("a", id, test.args, test.change)
			if !strings.Contains(out, test.want) {
				t.Errorf("got %q, %+v; want %q", out, c, test.want)
			}
		})
	}
}

func TestMounts(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	dir := t.TempDir()
	write := func(p, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, p)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, p), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("v/file", "in volume")
	write("secret", "outside")
	write("v/secret", "inside")
	for link, to := range map[string]string{"v/up": "../secret", "v/abs": "/secret", "v/data": "..data/key", "v/..data": "..1"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	write("v/..1/key", "value")
	v := filepath.Join(dir, "v")
	for _, test := range []struct {
		name  string
		mount container.Mount
		args  []string
		want  string
	}{
		{"read", container.Mount{Source: v, Target: "/m"}, []string{"read", "/m/file"}, "P in volume"},
		{"write", container.Mount{Source: v, Target: "/m"}, []string{"write", "/m/new", "x"}, ""},
		{"readonly", container.Mount{Source: v, Target: "/m", ReadOnly: true}, []string{"write", "/m/new", "x"}, "read-only file system"},
		{"over-image-volume", container.Mount{Source: v, Target: "/data"}, []string{"read", "/data/file"}, "in volume"},
		{"subpath", container.Mount{Source: v, Target: "/f", SubPath: "file"}, []string{"read", "/f"}, "in volume"},
		{"subpath-link", container.Mount{Source: v, Target: "/f", SubPath: "data"}, []string{"read", "/f"}, "value"},
		{"subpath-up", container.Mount{Source: v, Target: "/f", SubPath: "up"}, []string{"read", "/f"}, "inside"},
		{"subpath-absolute", container.Mount{Source: v, Target: "/f", SubPath: "abs"}, []string{"read", "/f"}, "inside"},
		{"subpath-made", container.Mount{Source: v, Target: "/d", SubPath: "a/b"}, []string{"write", "/d/x", "made"}, ""},
		{"tmpfs", container.Mount{Target: "/t", Tmpfs: true, SizeBytes: 1 << 20}, []string{"write", "/t/x", "made"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, c := n.run("a", test.name, test.args, func(c *container.ContainerConfig) { c.Mounts = []container.Mount{test.mount} })
			if !strings.Contains(out, test.want) || (test.want == "" && c.ExitCode != 0) {
				t.Errorf("got %q, %+v; want %q", out, c, test.want)
			}
		})
	}
	if body, err := os.ReadFile(filepath.Join(dir, "v/a/b/x")); err != nil || string(body) != "made" {
		t.Errorf("got %q, %v", body, err)
	}
	if err := n.r.RemoveSandbox(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if body, err := os.ReadFile(filepath.Join(dir, "v/file")); err != nil || string(body) != "in volume" {
		t.Errorf("removing the pod took the volume's files: %q, %v", body, err)
	}
}

func TestShared(t *testing.T) {
	n := newNode(t)
	n.sandbox("a", func(c *container.SandboxConfig) {
		c.SharePID = true
		c.Sysctls = map[string]string{"net.ipv4.ip_local_port_range": "40000\t40010", "kernel.shm_rmid_forced": "1"}
	})
	n.start("a", "one", []string{"forever"})
	n.start("a", "two", []string{"daemon", "stay"})
	if _, _, code := n.exec("one", "write", "/dev/shm/x", "from one"); code != 0 {
		t.Error("cannot write shared memory")
	}
	if out, _, _ := n.exec("two", "read", "/dev/shm/x"); out != "from one" {
		t.Errorf("got %q", out)
	}
	mounts, _, _ := n.exec("one", "read", "/proc/self/mounts")
	if want := "shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k"; !strings.Contains(mounts, "\n"+want) {
		t.Errorf("no mount %q in\n%s", want, mounts)
	}
	if out, _, _ := n.exec("one", "read", "/proc/sys/net/ipv4/ip_local_port_range"); out != "40000\t40010\n" {
		t.Errorf("got %q", out)
	}
	if out, _, _ := n.exec("one", "read", "/proc/1/cmdline"); out != "/pause\x00pause\x00" {
		t.Errorf("process 1: got %q", out)
	}
	if out, _, _ := n.exec("one", "where"); strings.Contains(out, "pid=1\n") {
		t.Errorf("got %q", out)
	}
	if err := n.r.StopContainer(t.Context(), "two", "", 0); err != nil {
		t.Fatal(err)
	}
	if c := n.status("two"); c.ExitCode != 137 {
		t.Errorf("got %+v", c)
	}
	// A private pod sees none of it.
	n.sandbox("b")
	n.start("b", "three", []string{"forever"})
	if out, _, _ := n.exec("three", "ls", "/dev/shm"); out != "" {
		t.Errorf("got %q", out)
	}
}

func TestHostNamespaces(t *testing.T) {
	n := newNode(t)
	n.sandbox("a", func(c *container.SandboxConfig) { c.HostNetwork, c.HostPID, c.HostIPC = true, true, true })
	n.start("a", "c", []string{"daemon", "stay"})
	for _, ns := range []string{"net", "pid", "ipc"} {
		want, err := os.Readlink("/proc/self/ns/" + ns)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.Readlink("/proc/" + itoa(n.status("c").PID) + "/ns/" + ns)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", ns, got, err, want)
		}
	}
	if err := n.r.StopContainer(t.Context(), "c", "", 0); err != nil {
		t.Fatal(err)
	}
}

func TestStatsAndUpdate(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "c", []string{"spin"}, func(c *container.ContainerConfig) {
		c.Resources = container.Resources{CPUQuota: 10000, CPUPeriod: 100000, CPUShares: 102, MemoryLimit: 64 << 20}
	})
	waitFor(t, "it to use the processor", func() bool {
		s, err := n.r.Stats(t.Context(), "c")
		return err == nil && s.CPUNanos > 1e6 && s.Pids > 0 && s.MemoryBytes > 0
	})
	if err := n.r.UpdateResources(t.Context(), "c", container.Resources{CPUQuota: 50000, CPUPeriod: 100000, MemoryLimit: 128 << 20}); err != nil {
		t.Fatal(err)
	}
	n.open()
	if c := n.status("c"); c.State != container.Running || c.Config.Resources.MemoryLimit != 128<<20 {
		t.Errorf("after a restart: %+v", c)
	}
	limits, _ := filepath.Glob("/sys/fs/cgroup/memory" + n.cfg.CgroupRoot + "/burstable/poda/c/memory.limit_in_bytes")
	if len(limits) == 0 {
		return // version 2: the shape of the files is the cgroups package's own concern
	}
	if body, err := os.ReadFile(limits[0]); err != nil || string(body) != "134217728\n" {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestLogRotation(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	const lines = 3000
	_, c := n.run("a", "c", []string{"lines", itoa(lines)}, func(c *container.ContainerConfig) { c.LogMaxSize, c.LogMaxFiles = 100<<10, 10 })
	if c.ExitCode != 0 {
		t.Fatalf("got %+v", c)
	}
	files, err := filepath.Glob(filepath.Join(n.logs, "c", "0.log*"))
	if err != nil || len(files) != 3 {
		t.Errorf("got %v, %v", files, err)
	}
	if got := strings.Count(n.allOutput("c"), "line "); got != lines {
		t.Errorf("got %d lines, want %d", got, lines)
	}
}
