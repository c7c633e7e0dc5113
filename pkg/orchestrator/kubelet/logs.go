package kubelet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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

// readLog writes what a log holds now. A nil writer leaves that stream out.
func readLog(path string, o logOptions, stdout, stderr io.Writer) error {
	c := newLogChain(path, newLogWriter(o, stdout, stderr))
	defer c.close()
	return enough(c.more())
}

// enough forgives a reader that it stopped at the limit.
func enough(err error) error {
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
	c := newLogChain(path, newLogWriter(o, stdout, stderr))
	defer c.close()
	for {
		over := ended() // asked before reading: what was written until then is read
		if err := c.more(); err != nil || over {
			return enough(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// logWriter turns lines of the CRI format into what is wanted of them.
type logWriter struct {
	o              logOptions
	stdout, stderr io.Writer
	left           int64 // bytes that may still be written
	limited        bool
	fresh          bool // at the start of a line
	pending        []byte
	skip           int64     // lines that are not wanted
	last           time.Time // the newest line's
	to             io.Writer // where gathered goes
	gathered       []byte
}

// gather is how much text is sent at once where there is so much.
const gather = 32 << 10

func newLogWriter(o logOptions, stdout, stderr io.Writer) *logWriter {
	w := &logWriter{o: o, stdout: stdout, stderr: stderr, fresh: true}
	if o.limit != nil {
		w.left, w.limited = *o.limit, true
	}
	return w
}

// copy writes whole lines until the end, but for the first ones that are to be skipped; an unfinished one waits for its rest.
func (w *logWriter) copy(r io.Reader) error {
	err := w.lines(r)
	if sent := w.send(); sent != nil {
		return sent
	}
	return err
}

func (w *logWriter) lines(r io.Reader) error {
	b := bufio.NewReaderSize(r, 32<<10)
	for {
		part, err := b.ReadSlice('\n')
		if len(part) > 0 {
			w.pending = append(w.pending, part...)
		}
		if err == nil {
			line := w.pending
			w.pending = w.pending[:0]
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
		w.skip = max(w.skip-1, 0)
		return nil // not in the format: left out, as the real agent does
	}
	partial := len(tag) > 0 && tag[0] == 'P'
	out := w.stdout
	if string(stream) == "stderr" {
		out = w.stderr
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err == nil {
		w.last = at
	}
	if w.skip > 0 {
		w.skip--
		return nil
	}
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
	if out != w.to || len(w.gathered)+len(text) > gather {
		if err := w.send(); err != nil {
			return err
		}
	}
	w.to, w.gathered = out, append(w.gathered, text...)
	if w.limited {
		if w.left -= int64(len(text)); w.left <= 0 {
			return errEnough
		}
	}
	return nil
}

// send writes what was gathered.
func (w *logWriter) send() error {
	if len(w.gathered) == 0 {
		return nil
	}
	_, err := w.to.Write(w.gathered)
	w.gathered = w.gathered[:0]
	return err
}
