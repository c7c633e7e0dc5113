package shim

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func logged(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(body)) {
		stamp, rest, _ := strings.Cut(line, " ")
		if _, err := time.Parse(time.RFC3339Nano, stamp); err != nil {
			t.Errorf("line %q: %v", line, err)
		}
		out.WriteString(rest)
	}
	return out.String()
}

func TestPump(t *testing.T) {
	long := strings.Repeat("a", maxLine)
	for _, test := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"a line", "one\n", "stdout F one\n"},
		{"lines", "one\n\ntwo\n", "stdout F one\nstdout F \nstdout F two\n"},
		{"no newline", "one\ntwo", "stdout F one\nstdout P two\n"},
		{"long", long + "b\n", "stdout P " + long + "\nstdout F b\n"},
		{"just long enough", long[1:] + "\n", "stdout F " + long[1:] + "\n"},
	} {
		for kind, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r },
			"bytewise": iotest.OneByteReader, "halves": iotest.HalfReader} {
			t.Run(test.name+" "+kind, func(t *testing.T) {
				l, err := openLog(filepath.Join(t.TempDir(), "log"), 0, 0)
				if err != nil {
					t.Fatal(err)
				}
				pump(wrap(strings.NewReader(test.in)), "stdout", l, &fanout{})
				l.close()
				if got := logged(t, l.path); got != test.want {
					t.Errorf("got %.100q, want %.100q", got, test.want)
				}
			})
		}
	}
}

func TestRotate(t *testing.T) {
	l, err := openLog(filepath.Join(t.TempDir(), "[0].log"), 100, 3)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 12 {
		l.write("stdout", now.Add(time.Duration(i)*time.Second), fmt.Appendf(nil, "line %02d\n", i), nil)
	}
	l.close()
	entries, err := os.ReadDir(filepath.Dir(l.path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{"[0].log", "[0].log.20300102-030413.gz", "[0].log.20300102-030416"}
	if !slices.Equal(names, want) {
		t.Fatalf("got %v, want %v", names, want)
	}
	f, err := os.Open(filepath.Join(filepath.Dir(l.path), want[1]))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(z); err != nil || !strings.Contains(string(body), "line 0") {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestReopen(t *testing.T) {
	l, err := openLog(filepath.Join(t.TempDir(), "log"), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	l.write("stderr", time.Now(), []byte("before\n"), nil)
	if err := os.Rename(l.path, l.path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := l.reopen(); err != nil {
		t.Fatal(err)
	}
	l.write("stderr", time.Now(), []byte("after\n"), nil)
	if got := logged(t, l.path); got != "stderr F after\n" {
		t.Errorf("got %q", got)
	}
}

func TestFanoutDropsTheStuck(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	var o fanout
	dropped := false
	o.add(w, func() { dropped = true })
	o.write([]byte("x"))
	if !dropped || len(o.writers) != 0 {
		t.Errorf("dropped: %v, left: %d", dropped, len(o.writers))
	}
	w.Close()
}
