package oci_test

import (
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci"
)

// TestExternalRuntime runs the story with an executed runc in place of the linked libcontainer.
func TestExternalRuntime(t *testing.T) {
	runc, err := exec.LookPath("runc")
	if err != nil {
		t.Log("*** runc is not installed: the path of --oci-runtime was not run ***")
		return
	}
	n := newNodeWith(t, oci.Config{OCIRuntime: runc})
	n.sandbox("a")
	n.start("a", "c", []string{"forever"}, func(c *container.ContainerConfig) { c.Security.UID, c.Security.GID = 1000, 1001 })
	waitFor(t, "it to be up", func() bool { return n.output("c") == "stdout F up\n" })
	if out, _, code := n.exec("c", "where"); code != 0 || !strings.HasPrefix(out, "cwd=/ host=host-a uid=1000 gid=1001") {
		t.Errorf("exec: got %q, %d", out, code)
	}
	if _, _, code := n.exec("c", "exit", "42"); code != 42 {
		t.Errorf("exec: got %d", code)
	}
	sizes := make(chan container.Size, 1)
	sizes <- container.Size{Width: 81, Height: 25}
	in, keys := io.Pipe()
	go io.WriteString(keys, "exit 9\n")
	code, err := n.r.Exec(t.Context(), "c", container.ExecConfig{Args: []string{"/tool", "tty"},
		Streams: container.Streams{Stdin: in, Stdout: io.Discard, TTY: true, Resize: sizes}})
	if err != nil || code != 9 {
		t.Errorf("exec with a terminal: got %d, %v", code, err)
	}
	n.start("a", "term", []string{"tty"}, func(c *container.ContainerConfig) { c.Stdin, c.TTY = true, true })
	if c := n.status("term"); c.State != container.Running {
		t.Errorf("container with a terminal: got %+v", c)
	}
	if err := n.r.StopContainer(t.Context(), "c", "", time.Minute); err != nil {
		t.Fatal(err)
	}
	if c := n.status("c"); c.State != container.Exited || c.ExitCode != 0 {
		t.Errorf("got %+v", c)
	}
	if _, c := n.run("a", "code", []string{"exit", "5"}); c.ExitCode != 5 {
		t.Errorf("got %+v", c)
	}
	n.create("a", "none", nil, func(c *container.ContainerConfig) { c.Args = []string{"no-such-program"} })
	if err := n.r.StartContainer(t.Context(), "none"); err == nil || !strings.Contains(err.Error(), "executable file not found in $PATH") {
		t.Errorf("got %v", err)
	}
	_, c := n.run("a", "hog", []string{"alloc", "300"}, func(c *container.ContainerConfig) { c.Resources.MemoryLimit = 64 << 20 })
	if !c.OOMKilled || c.ExitCode != 137 {
		t.Errorf("got %+v", c)
	}
	n.start("a", "left", []string{"daemon", "stay"})
	n.open()
	if c := n.status("left"); c.State != container.Running {
		t.Errorf("got %+v", c)
	}
	n.sandbox("b", func(c *container.SandboxConfig) { c.SharePID = true })
	n.start("b", "shared", []string{"daemon", "stay"})
}
