package kubelet

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const day = "2026-01-01T12:00:"

// writeLines writes lines "SECOND STREAM TAG TEXT" in the CRI format.
func writeLines(t *testing.T, path string, lines ...string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, l := range lines {
		if _, err := f.WriteString(strings.Replace(day+l, " ", ".5Z ", 1) + "\n"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "0.log")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fmt.Fprintf(z, "%s00.5Z stdout F zero\n%s01.5Z stderr F one\n", day, day)
	z.Close()
	if err := os.WriteFile(path+".20260101-120002.gz", zipped.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	writeLines(t, path+".20260101-120004", "02 stdout F two", "03 stdout P thr", "03 stdout F ee")
	writeLines(t, path, "04 stderr F four", "05 stdout F five")
	n := func(i int64) *int64 { return &i }
	tests := []struct {
		name     string
		o        logOptions
		out, err bool
		want     string
	}{
		{"all", logOptions{}, true, true, "zero\none\ntwo\nthree\nfour\nfive\n"},
		{"stdout", logOptions{}, true, false, "zero\ntwo\nthree\nfive\n"},
		{"stderr", logOptions{}, false, true, "one\nfour\n"},
		{"tail in the log", logOptions{tail: n(1)}, true, true, "five\n"},
		{"tail in a rotated one", logOptions{tail: n(3)}, true, true, "ee\nfour\nfive\n"},
		{"tail in a zipped one", logOptions{tail: n(6)}, true, true, "one\ntwo\nthree\nfour\nfive\n"},
		{"tail of more than there is", logOptions{tail: n(60)}, true, true, "zero\none\ntwo\nthree\nfour\nfive\n"},
		{"no tail", logOptions{tail: n(0)}, true, true, ""},
		{"limit", logOptions{limit: n(7)}, true, true, "zero\non"},
		{"since", logOptions{since: time.Date(2026, 1, 1, 12, 0, 4, 0, time.UTC)}, true, true, "four\nfive\n"},
		{"times", logOptions{timestamps: true, tail: n(4)}, true, true, day + "03.500000000Z three\n" + day + "04.500000000Z four\n" + day + "05.500000000Z five\n"},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		var stdout, stderr interface{ Write([]byte) (int, error) }
		if tt.out {
			stdout = &b
		}
		if tt.err {
			stderr = &b
		}
		if err := readLog(path, tt.o, stdout, stderr); err != nil || b.String() != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, b.String(), err, tt.want)
		}
	}
	if err := readLog(filepath.Join(dir, "none.log"), logOptions{}, &bytes.Buffer{}, nil); err != nil {
		t.Errorf("a log that is not there yet: %v", err)
	}
}

// said collects what was written and lets a test wait for it.
type said struct {
	mu   sync.Mutex
	cond *sync.Cond
	b    bytes.Buffer
}

func newSaid() *said {
	s := &said{}
	s.cond = sync.NewCond(&s.mu)
	return s
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.cond.Broadcast()
	return s.b.Write(p)
}

func (s *said) wait(want string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.b.String() != want {
		s.cond.Wait()
	}
}

func TestFollowLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.log")
	writeLines(t, path, "00 stdout F zero")
	var w logWatcher
	var ended atomic.Bool
	out := newSaid()
	done := make(chan error)
	go func() { done <- followLog(context.Background(), &w, path, logOptions{}, out, out, ended.Load) }()
	out.wait("zero\n")
	writeLines(t, path, "01 stdout F one")
	out.wait("zero\none\n")
	if err := os.Rename(path, path+".20260101-120002"); err != nil {
		t.Fatal(err)
	}
	writeLines(t, path, "02 stdout F two")
	out.wait("zero\none\ntwo\n")
	writeLines(t, path, "03 stdout F three")
	out.wait("zero\none\ntwo\nthree\n")
	ended.Store(true)
	w.tell(path)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if w.file != nil {
		t.Error("the watcher is still there though nobody follows")
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- followLog(ctx, &w, path, logOptions{}, out, out, func() bool { return false }) }()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
