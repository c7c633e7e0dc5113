package oci_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func TestExec(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "c", []string{"forever"}, func(c *container.ContainerConfig) {
		c.Security.UID, c.Security.GID, c.Env, c.WorkingDir = 1000, 1001, []string{"POD=x"}, "/work"
	})
	if out, errOut, code := n.exec("c", "both"); out != "to out\nno newline" || errOut != "to err\n" || code != 0 {
		t.Errorf("got %q, %q, %d", out, errOut, code)
	}
	if _, _, code := n.exec("c", "exit", "42"); code != 42 {
		t.Errorf("exit code: got %d", code)
	}
	if out, _, _ := n.exec("c", "where"); !strings.HasPrefix(out, "cwd=/work host=host-a uid=1000 gid=1001 groups=[1001 1002]") {
		t.Errorf("got %q", out)
	}
	if out, _, _ := n.exec("c", "env"); !strings.Contains(out, "POD=x\n") || !strings.Contains(out, "FROM=image\n") {
		t.Errorf("got %q", out)
	}
	_, err := n.r.Exec(t.Context(), "c", container.ExecConfig{Args: []string{"nope"}})
	if err == nil || !strings.Contains(err.Error(), `exec: "nope": executable file not found in $PATH`) {
		t.Errorf("got %v", err)
	}
	var both bytes.Buffer
	if _, err := n.r.Exec(t.Context(), "c", container.ExecConfig{Args: []string{"/tool", "both"},
		Streams: container.Streams{Stdout: &both, Stderr: &both}}); err != nil || both.String() != "to out\nto err\nno newline" {
		t.Errorf("one buffer for both: got %q, %v", both.String(), err)
	}
	// More than a pipe holds, both ways, ending with stdin.
	big := strings.Repeat("0123456789abcdef", 64<<10)
	var out bytes.Buffer
	code, err := n.r.Exec(t.Context(), "c", container.ExecConfig{Args: []string{"/tool", "cat"},
		Streams: container.Streams{Stdin: strings.NewReader(big), Stdout: &out}})
	if err != nil || code != 0 || out.String() != big {
		t.Errorf("got %d bytes, %d, %v", out.Len(), code, err)
	}
}

func TestExecEnds(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "c", []string{"forever"})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := n.r.Exec(ctx, "c", container.ExecConfig{Args: []string{"/tool", "sleep", "1h"}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	waitFor(t, "the process to be killed", func() bool {
		s, err := n.r.Stats(t.Context(), "c")
		return err == nil && s.Pids < 12 // threads count too: the tool alone has fewer
	})
	// One that leaves a child with its pipes does not hold the caller.
	began := time.Now()
	if out, _, code := n.exec("c", "daemon"); code != 0 || !strings.HasPrefix(out, "child") || time.Since(began) > 5*time.Second {
		t.Errorf("got %q, %d after %v", out, code, time.Since(began))
	}
	if err := n.r.StopContainer(t.Context(), "c", "", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := n.r.Exec(t.Context(), "c", container.ExecConfig{Args: []string{"/tool"}}); err == nil {
		t.Error("exec in a container that has ended succeeded")
	}
}

// lockedBuffer may be looked at while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestExecTerminal(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "c", []string{"forever"})
	sizes := make(chan container.Size, 1)
	sizes <- container.Size{Width: 81, Height: 25}
	in, keys := io.Pipe()
	var out lockedBuffer
	done := make(chan int)
	go func() {
		code, err := n.r.Exec(t.Context(), "c", container.ExecConfig{Args: []string{"/tool", "tty", "resized"},
			Streams: container.Streams{Stdin: in, Stdout: &out, TTY: true, Resize: sizes}})
		if err != nil {
			t.Error(err)
		}
		done <- code
	}()
	waitFor(t, "the first size", func() bool { return strings.Contains(out.String(), "size 81 25") })
	sizes <- container.Size{Width: 120, Height: 50}
	io.WriteString(keys, "size\n")
	waitFor(t, "the second size", func() bool { return strings.Contains(out.String(), "size 120 50") })
	io.WriteString(keys, "exit 9\n")
	if code := <-done; code != 9 {
		t.Errorf("got %d", code)
	}
	keys.Close()
}

func TestAttach(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "c", []string{"cat"}, func(c *container.ContainerConfig) { c.Stdin, c.StdinOnce = true, true })
	in, keys := io.Pipe()
	var out lockedBuffer
	done := make(chan error)
	go func() { done <- n.r.Attach(t.Context(), "c", container.Streams{Stdin: in, Stdout: &out}) }()
	io.WriteString(keys, "hello\n")
	waitFor(t, "an echo", func() bool { return out.String() == "hello\n" })
	keys.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if c := n.waitExit("c"); c.ExitCode != 0 || n.output("c") != "stdout F hello\n" {
		t.Errorf("got %+v, %q", c, n.output("c"))
	}
}

func TestAttachTerminal(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "c", []string{"tty", "resized"}, func(c *container.ContainerConfig) { c.Stdin, c.TTY = true, true })
	in, keys := io.Pipe()
	defer keys.Close()
	sizes := make(chan container.Size, 1)
	sizes <- container.Size{Width: 99, Height: 33}
	ctx, cancel := context.WithCancel(t.Context())
	var out lockedBuffer
	done := make(chan error)
	go func() {
		done <- n.r.Attach(ctx, "c", container.Streams{Stdin: in, Stdout: &out, TTY: true, Resize: sizes})
	}()
	io.WriteString(keys, "size\n")
	waitFor(t, "the size", func() bool { return strings.Contains(out.String(), "size 99 33") })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if c := n.status("c"); c.State != container.Running {
		t.Errorf("got %+v", c)
	}
}

func TestDial(t *testing.T) {
	n := newNode(t)
	n.sandbox("a")
	n.start("a", "c", []string{"listen", "127.0.0.1:80"})
	waitFor(t, "it to listen", func() bool { return strings.Contains(n.output("c"), "up") })
	c, err := n.r.Dial(t.Context(), "a", "tcp", "localhost:80")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if body, err := io.ReadAll(c); err != nil || string(body) != "hello\n" {
		t.Errorf("got %q, %v", body, err)
	}
	if _, err := n.r.Dial(t.Context(), "a", "tcp", "localhost:81"); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}
