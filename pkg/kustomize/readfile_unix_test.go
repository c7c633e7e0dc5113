//go:build unix

package kustomize

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestPipe reads what somebody writes to a pipe, and does not wait for ever if nobody does.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	silent, read := filepath.Join(dir, "silent"), filepath.Join(dir, "read")
	if err := errors.Join(syscall.Mkfifo(silent, 0o600), syscall.Mkfifo(read, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := (disk{patience: time.Millisecond}).ReadFile(silent); !errors.Is(err, errTooSlow) {
		t.Errorf("nobody writes: got error %v, want %v", err, errTooSlow)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(read, []byte("a=b"), 0o600) }()
	got, err := disk{patience: time.Minute}.ReadFile(read)
	if err := errors.Join(err, <-written); err != nil || string(got) != "a=b" {
		t.Errorf("got %q, error %v", got, err)
	}
}
