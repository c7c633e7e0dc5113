package oci_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci"
)

func TestLife(t *testing.T) {
	n := newNode(t)
	events, err := n.r.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n.sandbox("a")
	out, c := n.run("a", "both", []string{"both"})
	for _, want := range []string{"stdout F to out\n", "stderr F to err\n", "stdout P no newline\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("log %q lacks %q", out, want)
		}
	}
	if c.ExitCode != 0 || c.Started.IsZero() || c.Finished.Before(c.Started) {
		t.Errorf("got %+v", c)
	}
	if _, c = n.run("a", "seven", []string{"exit", "7"}); c.ExitCode != 7 {
		t.Errorf("exit code: got %d, want 7", c.ExitCode)
	}
	var got []string
	for range 4 {
		e := <-events
		got = append(got, e.ContainerID+" "+string(e.State))
	}
	for _, want := range []string{"both exited", "seven exited"} {
		if !slices.Contains(got, want) {
			t.Errorf("events %q lack %q", got, want)
		}
	}
	if err := n.r.RemoveContainer(t.Context(), "seven"); err != nil {
		t.Fatal(err)
	}
	all, err := n.r.Sandboxes(t.Context())
	if err != nil || len(all) != 1 || len(all[0].Containers) != 1 {
		t.Errorf("sandboxes: %+v, %v", all, err)
	}
}

func TestStop(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	for _, test := range []struct {
		program, signal string
		grace           time.Duration
		code, sig       int
		out             string
	}{
		{"trap", "", time.Minute, 7, 0, "got terminated"},
		{"trap", "SIGUSR1", time.Minute, 7, 0, "got user defined signal 1"},
		{"trap", "3", time.Minute, 7, 0, "got quit"},
		{"stubborn", "", 50 * time.Millisecond, 137, 9, "up"},
		{"stubborn", "", 0, 137, 9, "up"},
	} {
		id := n.start("a", test.program+test.signal+test.grace.String(), []string{test.program})
		waitFor(t, "it to be up", func() bool { return strings.Contains(n.output(id), "up") })
		if err := n.r.StopContainer(t.Context(), id, test.signal, test.grace); err != nil {
			t.Fatal(err)
		}
		c := n.status(id)
		if c.State != container.Exited || c.ExitCode != test.code || c.Signal != test.sig || !strings.Contains(n.output(id), test.out) {
			t.Errorf("%s: got %+v, log %q", id, c, n.output(id))
		}
	}
}

func TestStartError(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.create("a", "none", nil, func(c *container.ContainerConfig) { c.Args = []string{"no-such-program"} })
	err := n.r.StartContainer(t.Context(), "none")
	if err == nil || !strings.Contains(err.Error(), `exec: "no-such-program": executable file not found in $PATH`) {
		t.Errorf("got %v", err)
	}
	c := n.status("none")
	if c.State != container.Exited || c.ExitCode != 128 || c.Reason != "StartError" || c.Message != err.Error() {
		t.Errorf("got %+v", c)
	}
}

func TestKilledForMemory(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	_, c := n.run("a", "hog", []string{"alloc", "300"}, func(c *container.ContainerConfig) { c.Resources.MemoryLimit = 64 << 20 })
	if !c.OOMKilled || c.ExitCode != 137 {
		t.Errorf("got OOMKilled %v, exit code %d", c.OOMKilled, c.ExitCode)
	}
}

func TestReopen(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "runs", []string{"forever"})
	n.start("a", "ends", []string{"sleep", "100ms", "5"})
	before := n.status("runs")
	n.open()
	if c := n.status("runs"); c.State != container.Running || c.PID != before.PID || !c.Started.Equal(c.Started) {
		t.Errorf("got %+v, want %+v", c, before)
	}
	// Ends of which the first runtime has not heard, since it is not looked at any more.
	if c := n.waitExit("ends"); c.ExitCode != 5 {
		t.Errorf("got %+v", c)
	}
	if out, _, code := n.exec("runs", "echo", "hi"); out != "hi\n" || code != 0 {
		t.Errorf("exec: %q, %d", out, code)
	}
	if err := n.r.StopContainer(t.Context(), "runs", "", time.Minute); err != nil {
		t.Fatal(err)
	}
	n.open()
	if c := n.status("runs"); c.State != container.Exited || c.ExitCode != 0 {
		t.Errorf("got %+v", c)
	}
}

func TestShimKilled(t *testing.T) {
	for _, alive := range []bool{true, false} {
		n := newNode(t)
		n.sandbox("a")
		n.start("a", "one", []string{"daemon", "stay"})
		n.start("a", "two", []string{"forever"})
		_, done := n.run("a", "done", []string{"exit", "3"})
		pids := []int{n.status("one").PID, n.status("two").PID}
		killed := shims(filepath.Join(n.cfg.Dir, "sandboxes", "a"))
		if len(killed) != 1 {
			t.Fatalf("shims: %v", killed)
		}
		if !alive {
			n.r.Close()
		}
		if err := unix.Kill(killed[0], unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if !alive {
			n.open()
		}
		for _, id := range []string{"one", "two"} {
			if c := n.waitExit(id); c.Reason != "ShimDied" || c.ExitCode != 137 {
				t.Errorf("got %+v", c)
			}
		}
		if c := n.status("done"); c.ExitCode != 3 || c.Reason != done.Reason {
			t.Errorf("got %+v", c)
		}
		for _, pid := range pids {
			// A zombie waits for the machine's first process to bury it.
			waitFor(t, "a killed process to go", func() bool {
				body, err := os.ReadFile("/proc/" + itoa(pid) + "/stat")
				return err != nil || strings.Contains(string(body), ") Z ") || strings.Contains(string(body), ") X ")
			})
		}
		// The sandbox goes on with a new shim.
		waitFor(t, "a new shim", func() bool { return len(shims(n.cfg.Dir)) == 1 })
		if out, c := n.run("a", "three", []string{"echo", "again"}); c.ExitCode != 0 || !strings.Contains(out, "again") {
			t.Errorf("got %q, %+v", out, c)
		}
	}
}

func TestStopSandboxKeepsStatus(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "runs", []string{"daemon", "stay"})
	if err := n.r.StopSandbox(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if c := n.status("runs"); c.State != container.Exited || c.ExitCode != 137 {
		t.Errorf("got %+v", c)
	}
	if left := shims(n.cfg.Dir); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	if err := n.r.StopSandbox(t.Context(), "a"); err != nil {
		t.Errorf("stop again: %v", err)
	}
	n.open()
	all, err := n.r.Sandboxes(context.Background())
	if err != nil || len(all) != 1 || all[0].Ready || all[0].Containers[0].ExitCode != 137 {
		t.Errorf("got %+v, %v", all, err)
	}
}

func TestShimKilledInsideAStart(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.create("a", "begun", []string{"forever"})
	n.create("a", "waits", []string{"forever"})
	n.r.Close()
	hierarchy := "/sys/fs/cgroup/devices" // of version 1: every container that was begun is in it
	if _, err := os.Stat(hierarchy); err != nil {
		hierarchy = "/sys/fs/cgroup"
	}
	if err := os.MkdirAll(filepath.Join(hierarchy, n.cfg.CgroupRoot, "burstable", "poda", "begun"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, pid := range shims(filepath.Join(n.cfg.Dir, "sandboxes", "a")) {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	n.open()
	if c := n.status("begun"); c.State != container.Exited || c.Reason != "ShimDied" || c.ExitCode != 137 {
		t.Errorf("one whose start was under way: %+v", c)
	}
	if c := n.status("waits"); c.State != container.Created {
		t.Errorf("one that was not started: %+v", c)
	}
}

func TestEndThatNobodyRecorded(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "runs", []string{"daemon", "stay"})
	if err := n.r.StopSandbox(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(n.cfg.Dir, "sandboxes", "a", "containers", "runs", "exit.json")); err != nil {
		t.Fatal(err)
	}
	n.open()
	if c := n.status("runs"); c.State != container.Exited || c.ExitCode != 137 || c.Message == "" {
		t.Errorf("got %+v", c)
	}
	if err := n.r.StopContainer(t.Context(), "runs", "", time.Second); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestHalfMadeIsSwept(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.create("a", "half", []string{"forever"})
	dir := filepath.Join(n.cfg.Dir, "sandboxes", "a", "containers", "half")
	if err := os.Remove(filepath.Join(dir, "container.json")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b", "c"} {
		if err := os.MkdirAll(filepath.Join(n.cfg.Dir, "sandboxes", name, "ns"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(n.cfg.Dir, "sandboxes", "c", "sandbox.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n.open()
	if _, err := os.Stat(dir); err == nil {
		t.Error("the half-made container is still there")
	}
	if left, _ := os.ReadDir(filepath.Join(n.cfg.Dir, "sandboxes")); len(left) != 1 {
		t.Errorf("half-made sandboxes are still there: %v", left)
	}
}

func TestDestroy(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "c", []string{"daemon", "stay"})
	n.sandbox("b", func(c *container.SandboxConfig) { c.SharePID = true })
	n.start("b", "d", []string{"stubborn"})
	n.r.Close()
	if err := oci.Destroy(t.Context(), n.cfg.Dir, n.cfg.CgroupRoot); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(n.cfg.Dir); err == nil {
		t.Error("the directory is still there")
	}
	if err := oci.Destroy(t.Context(), n.cfg.Dir, n.cfg.CgroupRoot); err != nil {
		t.Errorf("again: %v", err)
	}
	n.open() // nothing is found
	if all, err := n.r.Sandboxes(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("got %v, %v", all, err)
	}
}

// TestCrashes kills shims and reopens the runtime at any moment while pods come and go; afterwards runtime, files and
// processes agree.
func TestCrashes(t *testing.T) {
	n := newNode(t)
	for round := range 12 {
		id := "p" + itoa(round)
		s := n.sandbox(id)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 3 {
				c := container.ContainerConfig{ID: id + "c" + itoa(i), Name: "c", ImageID: n.image.ID, Args: []string{"/tool", "daemon", "stay"}}
				if n.r.CreateContainer(context.Background(), s.ID, c) == nil {
					_ = n.r.StartContainer(context.Background(), c.ID)
				}
			}
		}()
		<-time.After(time.Duration(round*7) * time.Millisecond)
		for _, pid := range shims(filepath.Join(n.cfg.Dir, "sandboxes", id)) {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		<-done
		if round%2 == 0 {
			n.open()
		}
		waitFor(t, "runtime and processes to agree", func() bool { return n.agrees(id) })
	}
}

// agrees compares what the runtime says of a sandbox with the processes of its cgroup.
func (n *node) agrees(sandbox string) bool {
	all, err := n.r.Sandboxes(context.Background())
	if err != nil {
		return false
	}
	for _, s := range all {
		if s.ID != sandbox {
			continue
		}
		for _, c := range s.Containers {
			files, _ := filepath.Glob("/sys/fs/cgroup/devices" + n.cfg.CgroupRoot + "/burstable/pod" + sandbox + "/" + c.ID + "/cgroup.procs")
			v2, _ := filepath.Glob("/sys/fs/cgroup" + n.cfg.CgroupRoot + "/burstable/pod" + sandbox + "/" + c.ID + "/cgroup.procs")
			runs := false
			for _, f := range append(files, v2...) {
				body, _ := os.ReadFile(f)
				runs = runs || len(body) > 0
			}
			if runs != (c.State == container.Running) || (c.State == container.Exited && c.Reason == "") {
				return false
			}
		}
	}
	return true
}
