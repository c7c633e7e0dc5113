package kubelet

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// rotator writes a log and sets it aside as the runtime does: under the time of its last line, compressed one rotation later.
type rotator struct {
	t    *testing.T
	path string
	now  time.Time
	n    int      // lines written
	old  []string // set aside, not compressed yet
	all  []string
}

func newRotator(t *testing.T) *rotator {
	return &rotator{t: t, path: filepath.Join(t.TempDir(), "0.log"), now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.FixedZone("", 3600))}
}

func (r *rotator) write(lines int) {
	f, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Error(err)
		return
	}
	defer f.Close()
	for range lines {
		r.now = r.now.Add(70 * time.Millisecond)
		fmt.Fprintf(f, "%s stdout F line %d\n", r.now.Format(time.RFC3339Nano), r.n)
		r.n++
	}
}

func (r *rotator) rotate() {
	name := r.path + "." + r.now.Format("20060102-150405")
	if taken, _ := filepath.Glob(name + "*"); len(taken) > 0 {
		name += r.now.Format(".000000000")
	}
	if err := os.Rename(r.path, name); err != nil {
		r.t.Error(err)
	}
	for _, f := range r.old {
		r.compress(f)
	}
	r.old, r.all = []string{name}, append(r.all, name)
}

func (r *rotator) compress(path string) {
	body, err := os.ReadFile(path)
	if err != nil {
		r.t.Error(err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(body)
	z.Close()
	if err := os.WriteFile(path+".tmp", zipped.Bytes(), 0o600); err != nil {
		r.t.Error(err)
	}
	if err := os.Rename(path+".tmp", path+".gz"); err != nil {
		r.t.Error(err)
	}
	if err := os.Remove(path); err != nil {
		r.t.Error(err)
	}
}

// want is the text of all lines from one on.
func (r *rotator) want(from int) string {
	var b strings.Builder
	for i := from; i < r.n; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func TestRotationsWithinASecond(t *testing.T) {
	r := newRotator(t)
	for range 20 {
		r.write(3)
		r.rotate()
	}
	r.write(2)
	for _, tail := range []int{0, 1, 2, 3, 30, 61, 62, 100} {
		var b bytes.Buffer
		n := int64(tail)
		if err := readLog(r.path, logOptions{tail: &n}, &b, nil); err != nil || b.String() != r.want(max(r.n-tail, 0)) {
			t.Errorf("the last %d lines: got %q, %v", tail, b.String(), err)
		}
	}
}

// TestNoLineIsLostInRotations reads and follows while the log is rotated faster than it is read.
func TestNoLineIsLostInRotations(t *testing.T) {
	r := newRotator(t)
	r.write(5)
	var w logWatcher
	var ended atomic.Bool
	var followed bytes.Buffer
	done := make(chan error)
	go func() {
		done <- followLog(context.Background(), &w, r.path, logOptions{}, &followed, nil, ended.Load)
	}()
	reading := make(chan string)
	go func() {
		defer close(reading)
		for !ended.Load() {
			var b bytes.Buffer
			if err := readLog(r.path, logOptions{}, &b, nil); err != nil {
				t.Error(err)
			}
			reading <- b.String()
		}
	}()
	checked := make(chan struct{})
	go func() {
		defer close(checked)
		for text := range reading {
			for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
				if want := fmt.Sprintf("line %d", i); line != want {
					t.Errorf("read %q, want %q", line, want)
					break
				}
			}
		}
	}()
	for range 80 { // as many files as the kernel lists at one moment
		r.write(4)
		r.rotate()
	}
	r.write(1)
	ended.Store(true)
	w.tell(r.path)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	<-checked
	if got := followed.String(); got != r.want(0) {
		t.Errorf("followed %d lines, want %d", strings.Count(got, "\n"), r.n)
	}
}

// TestFollowerLeftBehind: what was removed before it was read is lost, and nothing else.
func TestFollowerLeftBehind(t *testing.T) {
	r := newRotator(t)
	r.write(5)
	var out bytes.Buffer
	c := newLogChain(r.path, newLogWriter(logOptions{}, &out, nil))
	defer c.close()
	if err := c.more(); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		r.rotate()
		r.write(5)
	}
	for _, gone := range r.all[:2] {
		if err := os.Remove(gone + ".gz"); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.more(); err != nil {
		t.Fatal(err)
	}
	whole := r.want(0)
	if want := strings.Replace(whole, "line 5\nline 6\nline 7\nline 8\nline 9\n", "", 1); out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
