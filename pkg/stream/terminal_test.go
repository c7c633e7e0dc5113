//go:build unix

package stream

import (
	"context"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"k8s.io/client-go/tools/remotecommand"
)

// The first size is the window's own, with Redraw after one that differs; then each change comes.
func TestSizes(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	set := func(w, h uint16) {
		if err := pty.Setsize(master, &pty.Winsize{Cols: w, Rows: h}); err != nil {
			t.Fatal(err)
		}
	}
	set(80, 24)
	term := NewTerminal(slave, slave)
	if term == nil {
		t.Fatal("no terminal")
	}
	term.Redraw = true
	ctx, cancel := context.WithCancel(t.Context())
	q := term.sizes(ctx)
	want := func(w, h uint16) {
		t.Helper()
		got := q.Next()
		if got == nil || *got != (remotecommand.TerminalSize{Width: w, Height: h}) {
			t.Fatalf("got %v, want %dx%d", got, w, h)
		}
	}
	want(81, 25)
	want(80, 24)
	set(100, 30)
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	want(100, 30)
	cancel()
	if got := q.Next(); got != nil {
		t.Errorf("after the end: %v", got)
	}
}

func TestRawIsUndone(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	restore, err := NewTerminal(slave, slave).raw()
	if err != nil {
		t.Fatal(err)
	}
	restore()
}
