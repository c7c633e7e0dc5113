package shim

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxLine is where a line is cut and marked as partial, as containerd does.
const maxLine = 16 << 10

// logFile writes the format of the container runtime interface: "TIME STREAM F|P TEXT". It rotates itself.
type logFile struct {
	path  string
	max   int64 // bytes, 0: never rotated
	files int

	mu     sync.Mutex
	f      *os.File
	size   int64
	buf    []byte
	failed bool
}

func openLog(path string, max int64, files int) (*logFile, error) {
	l := &logFile{path: path, max: max, files: files}
	if path == "" {
		return l, nil
	}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return fmt.Errorf("open log: %w", err)
	}
	if l.f != nil {
		l.f.Close()
	}
	l.f, l.size = f, info.Size()
	return nil
}

// reopen follows a rotation by somebody else.
func (l *logFile) reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.path == "" {
		return nil
	}
	return l.open()
}

func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		l.f.Close()
		l.f = nil
	}
}

// write logs whole lines (each ending with a newline) and, when rest is not empty, a partial one.
func (l *logFile) write(stream string, now time.Time, lines, rest []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f == nil {
		return
	}
	b := l.buf[:0]
	for line := range bytes.Lines(lines) {
		b = appendLine(b, stream, now, 'F', line[:len(line)-1])
	}
	if len(rest) > 0 {
		b = appendLine(b, stream, now, 'P', rest)
	}
	if l.buf = b; cap(b) > 64<<10 {
		l.buf = nil
	}
	n, err := l.f.Write(b)
	l.size += int64(n)
	// A full disk loses lines but must not stop the container.
	if err != nil && !l.failed {
		fmt.Fprintln(os.Stderr, "skiff-shim: write log:", err)
	}
	l.failed = err != nil
	if l.max > 0 && l.size >= l.max {
		if err := l.rotate(now); err != nil {
			fmt.Fprintln(os.Stderr, "skiff-shim: rotate log:", err)
			l.size = 0 // try again after as much again
		}
	}
}

func appendLine(b []byte, stream string, now time.Time, tag byte, text []byte) []byte {
	b = now.AppendFormat(b, time.RFC3339Nano)
	b = append(b, ' ')
	b = append(b, stream...)
	b = append(b, ' ', tag, ' ')
	b = append(b, text...)
	return append(b, '\n')
}

// rotate sets the file aside under the time's name, compresses those set aside before, and removes the oldest.
func (l *logFile) rotate(now time.Time) error {
	aside := l.path + "." + now.Format("20060102-150405")
	if taken, _ := filepath.Glob(escapeGlob(aside) + "*"); len(taken) > 0 {
		aside += now.Format(".000000000") // twice in a second
	}
	if err := os.Rename(l.path, aside); err != nil {
		return err
	}
	if err := l.open(); err != nil {
		return err
	}
	old, err := filepath.Glob(escapeGlob(l.path) + ".*")
	if err != nil {
		return err
	}
	old = slices.DeleteFunc(old, func(p string) bool { return strings.HasSuffix(p, ".tmp") })
	slices.SortFunc(old, func(a, b string) int {
		return strings.Compare(strings.TrimSuffix(a, ".gz"), strings.TrimSuffix(b, ".gz"))
	})
	keep := max(l.files-1, 1)
	for len(old) > keep {
		if err := os.Remove(old[0]); err != nil {
			return err
		}
		old = old[1:]
	}
	for _, p := range old[:max(len(old)-1, 0)] {
		if strings.HasSuffix(p, ".gz") {
			continue
		}
		if err := compress(p); err != nil {
			return err
		}
	}
	return nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func compress(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp := path + ".tmp"
	out, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	z, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err == nil {
		_, err = io.Copy(z, in)
	}
	if err == nil {
		err = z.Close()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path+".gz")
	}
	if err != nil {
		os.Remove(tmp)
		return err
	}
	return os.Remove(path)
}
