package kubelet

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// logOptions choose what of a log is wanted.
type logOptions struct {
	timestamps bool
	since      time.Time
	tail       *int64
	limit      *int64
}

// errEnough ends reading when the byte limit is reached.
var errEnough = errors.New("log limit reached")

// logFiles are a container's log and what was rotated away from it, oldest first.
func logFiles(path string) []string {
	rotated, err := filepath.Glob(escapeGlob(path) + ".*")
	if err != nil {
		rotated = nil
	}
	var out []string
	for _, f := range rotated {
		if !strings.HasSuffix(f, ".tmp") {
			out = append(out, f)
		}
	}
	sort.Strings(out)
	return append(out, path)
}

func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// readLog writes what a log holds now. A nil writer leaves that stream out.
func readLog(path string, o logOptions, stdout, stderr io.Writer) error {
	w := newLogWriter(o, stdout, stderr)
	f, err := w.catchUp(path)
	if f != nil {
		f.Close()
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// followLog goes on after readLog until ended says that nothing will be written any more, or ctx ends.
func followLog(ctx context.Context, watcher *logWatcher, path string, o logOptions, stdout, stderr io.Writer, ended func() bool) error {
	changed, stop, err := watcher.watch(path)
	if err != nil {
		return fmt.Errorf("follow log %s: %w", path, err)
	}
	defer stop()
	w := newLogWriter(o, stdout, stderr)
	f, err := w.catchUp(path)
	defer func() {
		if f != nil {
			f.Close()
		}
	}()
	for err == nil {
		over := ended() // asked before reading: what was written until then is read
		if f, err = w.more(f, path); err != nil || over {
			break
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// logWriter turns lines of the CRI format into what is wanted of them.
type logWriter struct {
	o              logOptions
	stdout, stderr io.Writer
	left           int64 // bytes that may still be written
	limited        bool
	fresh          bool // at the start of a line
	pending        []byte
}

func newLogWriter(o logOptions, stdout, stderr io.Writer) *logWriter {
	w := &logWriter{o: o, stdout: stdout, stderr: stderr, fresh: true}
	if o.limit != nil {
		w.left, w.limited = *o.limit, true
	}
	return w
}

// catchUp writes rotated files and the log, and gives the log, read to its end; nil where there is none yet.
func (w *logWriter) catchUp(path string) (*os.File, error) {
	files := logFiles(path)
	skip, from := int64(0), 0
	if w.o.tail != nil {
		from, skip = tailStart(files, *w.o.tail)
	}
	for i := from; i < len(files); i++ {
		f, err := os.Open(files[i])
		if errors.Is(err, fs.ErrNotExist) {
			continue // rotated or removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		var r io.Reader = f
		if strings.HasSuffix(files[i], ".gz") {
			zipped, err := gzip.NewReader(f)
			if err != nil {
				f.Close()
				continue // still being written
			}
			r = zipped
		}
		err = w.copy(r, &skip)
		if err != nil || i < len(files)-1 {
			f.Close()
			if err != nil {
				return nil, err
			}
			continue
		}
		return f, nil
	}
	return nil, nil
}

// tailStart says in which file the last n lines begin, and how many lines of it come before them.
func tailStart(files []string, n int64) (index int, skip int64) {
	for i := len(files) - 1; i >= 0; i-- {
		lines := countLines(files[i])
		if lines >= n {
			return i, lines - n
		}
		n -= lines
	}
	return 0, 0
}

func countLines(path string) int64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return 0
		}
	}
	var n int64
	buf := make([]byte, 64<<10)
	for {
		got, err := r.Read(buf)
		n += int64(bytes.Count(buf[:got], []byte{'\n'}))
		if err != nil {
			return n
		}
	}
}

// more reads on, into the log's successor when it was rotated.
func (w *logWriter) more(f *os.File, path string) (*os.File, error) {
	none := int64(0)
	if f != nil {
		if err := w.copy(f, &none); err != nil {
			return f, err
		}
		here, err := f.Stat()
		if err != nil {
			return f, err
		}
		there, err := os.Stat(path)
		if err != nil || os.SameFile(here, there) {
			return f, nil
		}
		if err := w.copy(f, &none); err != nil { // written between the read and the rotation
			return f, err
		}
		f.Close()
	}
	next, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return next, w.copy(next, &none)
}

// copy writes whole lines until the end; an unfinished one waits for its rest.
func (w *logWriter) copy(r io.Reader, skip *int64) error {
	b := bufio.NewReaderSize(r, 32<<10)
	for {
		part, err := b.ReadSlice('\n')
		if len(part) > 0 {
			w.pending = append(w.pending, part...)
		}
		if err == nil {
			line := w.pending
			w.pending = w.pending[:0]
			if *skip > 0 {
				*skip--
				continue
			}
			if err := w.line(line); err != nil {
				return err
			}
			continue
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		return err
	}
}

// line writes one line: "TIME STREAM P|F TEXT\n". P says that the line goes on.
func (w *logWriter) line(line []byte) error {
	stamp, rest, ok := bytes.Cut(line, []byte{' '})
	stream, rest, ok2 := bytes.Cut(rest, []byte{' '})
	tag, text, ok3 := bytes.Cut(rest, []byte{' '})
	if !ok || !ok2 || !ok3 {
		return nil // not in the format: left out, as the real agent does
	}
	partial := len(tag) > 0 && tag[0] == 'P'
	out := w.stdout
	if string(stream) == "stderr" {
		out = w.stderr
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil || out == nil || !w.o.since.IsZero() && at.Before(w.o.since) {
		return nil
	}
	if partial {
		text = bytes.TrimSuffix(text, []byte{'\n'})
	}
	if w.o.timestamps && w.fresh {
		text = append([]byte(at.Format("2006-01-02T15:04:05.000000000Z07:00")+" "), text...)
	}
	w.fresh = !partial
	if w.limited && int64(len(text)) > w.left {
		text = text[:w.left]
	}
	if _, err := out.Write(text); err != nil {
		return err
	}
	if w.limited {
		if w.left -= int64(len(text)); w.left <= 0 {
			return errEnough
		}
	}
	return nil
}
