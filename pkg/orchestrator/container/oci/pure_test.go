package oci

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func TestStrikeBeginsWithTheRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "c")
	if err := os.MkdirAll(filepath.Join(dir, "root"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.json", "container.json", "exit.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_DELETE); err != nil {
		t.Fatal(err)
	}
	if err := strike(dir, containerFile); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory is still there")
	}
	events := make([]byte, 4096)
	n, err := unix.Read(fd, events)
	if err != nil || n < unix.SizeofInotifyEvent {
		t.Fatalf("read events: %d, %v", n, err)
	}
	if first := unix.ByteSliceToString(events[unix.SizeofInotifyEvent:n]); first != containerFile {
		t.Errorf("%s was removed first", first)
	}
	if err := strike(dir, containerFile); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestCapabilities(t *testing.T) {
	all := uint64(1<<len(capabilityNames) - 1)
	for _, test := range []struct {
		name       string
		privileged bool
		add, drop  []string
		own        uint64
		want       string
		count      int
	}{
		{name: "default", own: all, want: "CAP_NET_RAW", count: 14},
		{name: "added", add: []string{"NET_ADMIN"}, own: all, want: "CAP_NET_ADMIN", count: 15},
		{name: "with its prefix", add: []string{"cap_net_admin"}, own: all, want: "CAP_NET_ADMIN", count: 15},
		{name: "dropped", drop: []string{"NET_RAW"}, own: all, want: "CAP_CHOWN", count: 13},
		{name: "all dropped but one", drop: []string{"ALL"}, add: []string{"CHOWN"}, own: all, want: "CAP_CHOWN", count: 1},
		{name: "all added but one", add: []string{"ALL"}, drop: []string{"SYS_ADMIN"}, own: all, want: "CAP_BPF", count: 40},
		{name: "privileged", privileged: true, own: all, want: "CAP_SYS_ADMIN", count: 41},
		{name: "not what the node lacks", privileged: true, own: all &^ (1 << capSysResource), want: "CAP_SYS_ADMIN", count: 40},
	} {
		got := capabilities(test.privileged, test.add, test.drop, test.own)
		if len(got) != test.count || !slices.Contains(got, test.want) {
			t.Errorf("%s: got %d: %v", test.name, len(got), got)
		}
	}
}

func TestResolveUser(t *testing.T) {
	root := t.TempDir()
	for p, body := range map[string]string{
		"etc/passwd": "root:x:0:0::/root:\napp:x:1000:1001::/:\n# comment\nbroken\n",
		"etc/group":  "root:x:0:\napp:x:1001:\nextra:x:1002:other,app\n",
	} {
		if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, p), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		s        container.Security
		image    string
		uid, gid uint32
		groups   []uint32
		fails    string
	}{
		{s: container.Security{}, groups: []uint32{0}},
		{s: container.Security{UID: -1, GID: -1}, image: "app", uid: 1000, gid: 1001, groups: []uint32{1001, 1002}},
		{s: container.Security{UID: -1, GID: -1}, image: "1000", uid: 1000, gid: 1001, groups: []uint32{1001, 1002}},
		{s: container.Security{UID: -1, GID: -1}, image: "7:extra", uid: 7, gid: 1002, groups: []uint32{1002}},
		{s: container.Security{UID: -1, GID: -1}, groups: []uint32{0}},
		{s: container.Security{UID: -1, GID: -1, Username: "app"}, image: "root", uid: 1000, gid: 1001, groups: []uint32{1001, 1002}},
		{s: container.Security{UID: 1000, GID: -1}, uid: 1000, gid: 1001, groups: []uint32{1001, 1002}},
		{s: container.Security{UID: 1000, GID: 0}, uid: 1000, gid: 0, groups: []uint32{0, 1002}},
		{s: container.Security{UID: 5, GID: 6, Groups: []int64{9, 8, 9}}, image: "app", uid: 5, gid: 6, groups: []uint32{6, 8, 9}},
		{s: container.Security{UID: -1}, image: "ghost", fails: "unable to find user ghost: no matching entries in passwd file"},
		{s: container.Security{UID: -1}, image: "app:ghosts", fails: "unable to find group ghosts: no matching entries in group file"},
	} {
		got, err := resolveUser(test.s, test.image, root)
		if test.fails != "" {
			if err == nil || err.Error() != test.fails {
				t.Errorf("%+v %q: got %v", test.s, test.image, err)
			}
			continue
		}
		want := specs.User{UID: test.uid, GID: test.gid, AdditionalGids: test.groups}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v %q: got %+v, %v; want %+v", test.s, test.image, got, err, want)
		}
	}
	if got, err := resolveUser(container.Security{UID: -1}, "0", t.TempDir()); err != nil || got.UID != 0 {
		t.Errorf("an image without users: got %+v, %v", got, err)
	}
}

func TestAccountsStayInside(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(root, "etc/passwd")); err != nil {
		t.Fatal(err)
	}
	if passwd, _, err := accounts(root); err == nil && len(passwd) > 0 {
		t.Errorf("the node's own users were read: %v", passwd)
	}
}

func TestEnvironment(t *testing.T) {
	got := environment(specInput{sandbox: container.SandboxConfig{Hostname: "h"}, image: container.ImageConfig{Env: []string{"PATH=/i", "A=1"}},
		config: container.ContainerConfig{TTY: true, Env: []string{"A=2", "B=3", "B=4"}}})
	if want := []string{"PATH=/i", "TERM=xterm", "HOSTNAME=h", "A=2", "B=4"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSpec(t *testing.T) {
	in := specInput{sandbox: container.SandboxConfig{HostPID: true}, rootfs: "/r", cgroup: "/c", own: ^uint64(0), oomFloor: -1000,
		image:      container.ImageConfig{Entrypoint: []string{"/e"}, Cmd: []string{"c"}, WorkingDir: "/w"},
		config:     container.ContainerConfig{Resources: container.Resources{CPUShares: 102, CPUQuota: 10000, CPUPeriod: 100000, MemoryLimit: 5, PidsLimit: 6, OOMScoreAdj: -997}},
		namespaces: namespaces(container.SandboxConfig{HostPID: true}, nsPaths{net: "/n"}, 0)}
	s, err := newSpec(in)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Process.Args, []string{"/e", "c"}) || s.Process.Cwd != "/w" || *s.Process.OOMScoreAdj != -997 {
		t.Errorf("process: %+v", s.Process)
	}
	r := s.Linux.Resources
	if *r.CPU.Shares != 102 || *r.CPU.Quota != 10000 || *r.CPU.Period != 100000 || *r.Memory.Limit != 5 || r.Pids.Limit != 6 || r.Devices[0].Allow {
		t.Errorf("resources: %+v", r)
	}
	for _, ns := range s.Linux.Namespaces {
		if ns.Type == specs.PIDNamespace || (ns.Type == specs.NetworkNamespace && ns.Path != "/n") {
			t.Errorf("namespace: %+v", ns)
		}
	}
	in.config.Security.Privileged, in.config.Args = true, []string{"/other"}
	in.oomFloor = 0
	if s, err = newSpec(in); err != nil {
		t.Fatal(err)
	}
	if len(s.Linux.MaskedPaths) > 0 || !s.Linux.Resources.Devices[0].Allow || !slices.Equal(s.Process.Args, []string{"/other"}) || *s.Process.OOMScoreAdj != 0 {
		t.Errorf("privileged: %+v", s)
	}
}

func TestSeccompProfile(t *testing.T) {
	allowed := func(p *specs.LinuxSeccomp, name string) bool {
		return slices.ContainsFunc(p.Syscalls, func(s specs.LinuxSyscall) bool {
			return s.Action == specs.ActAllow && len(s.Args) == 0 && slices.Contains(s.Names, name)
		})
	}
	plain, err := seccompProfile("runtime/default", []string{"CAP_SYS_CHROOT"})
	if err != nil {
		t.Fatal(err)
	}
	admin, err := seccompProfile("runtime/default", []string{"CAP_SYS_ADMIN"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]bool{"read": {true, true}, "mount": {false, true}, "unshare": {false, true},
		"chroot": {true, false}, "kexec_load": {false, false}, "io_uring_setup": {false, false}, "clone3": {false, true}, "keyctl": {false, false}} {
		if got := [2]bool{allowed(plain, name), allowed(admin, name)}; got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	file := filepath.Join(t.TempDir(), "p.json")
	if err := os.WriteFile(file, []byte(`{"defaultAction":"SCMP_ACT_LOG"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := seccompProfile("localhost/"+file, nil); err != nil || p.DefaultAction != specs.ActLog {
		t.Errorf("got %+v, %v", p, err)
	}
	for _, name := range []string{"localhost/none", "localhost/" + os.DevNull, "other"} {
		if _, err := seccompProfile(name, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestParseSignal(t *testing.T) {
	for name, want := range map[string]unix.Signal{"": unix.SIGTERM, "SIGINT": unix.SIGINT, "quit": unix.SIGQUIT, "9": unix.SIGKILL,
		"SIGRTMIN+3": 37, "RTMIN": 34, "nonsense": 0, "99": 0, "SIGRTMIN+99": 0} {
		got, err := parseSignal(name)
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: got %v, %v", name, got, err)
		}
	}
}

func TestNumeric(t *testing.T) {
	for in, want := range map[string]string{"localhost:80": "127.0.0.1:80 [::1]:80", "10.0.0.1:1": "10.0.0.1:1", "[::1]:1": "[::1]:1",
		"example.com:80": "", "nothing": ""} {
		got, err := numeric(in)
		if strings.Join(got, " ") != want || (err != nil) != (want == "") {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
	}
}

func TestOwnCgroup(t *testing.T) {
	root := "/sys/fs/cgroup/pids"
	list := "9:name=systemd:/\n8:pids:/user/a b\n0::/init\n"
	if cgroups.IsCgroup2UnifiedMode() {
		root, list = "/sys/fs/cgroup", "0::/user/a b\n"
	}
	if got, want := ownCgroup([]byte(list)), root+"/user/a b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := ownCgroup([]byte("1:cpu:/\n")); got != "" {
		t.Errorf("without the hierarchy: %q", got)
	}
}

// A file that does not list this process is another's, and nobody is moved there.
func TestWarmerFindsItsOwn(t *testing.T) {
	w := newWarmer()
	if w.procs == "" {
		return // a machine without cgroups
	}
	before, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	w.warm()
	after, err := os.ReadFile("/proc/self/cgroup")
	if err != nil || string(after) != string(before) {
		t.Errorf("moved from %s to %s, %v", before, after, err)
	}
}
