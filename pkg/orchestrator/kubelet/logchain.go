package kubelet

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// logChain reads a container's log through its rotations: what was set aside, in order, then the log itself, and on into its successors.
// Its writer rotates at any moment, and compresses what it has set aside, so that files change their names between two looks.
type logChain struct {
	path string
	w    *logWriter
	// last is the name of the newest file set aside that was read; what comes after it was not.
	last string
	log  *os.File // the log as it was at the last look, read so far
}

func newLogChain(path string, w *logWriter) *logChain {
	c := &logChain{path: path, w: w}
	if w.o.tail != nil {
		c.seek(*w.o.tail)
	}
	return c
}

func (c *logChain) close() {
	if c.log != nil {
		c.log.Close()
	}
}

// more reads all that is there and was not read.
func (c *logChain) more() error {
	if c.log == nil {
		return c.advance()
	}
	if err := c.w.copy(c.log); err != nil {
		return err
	}
	here, err := c.log.Stat()
	if err != nil {
		return err
	}
	if there, err := os.Stat(c.path); err != nil || os.SameFile(here, there) {
		return nil
	}
	if err := c.w.copy(c.log); err != nil { // written between the read and the rotation
		return err
	}
	c.last = c.nameOf(here)
	c.log.Close()
	c.log = nil
	return c.advance()
}

// advance reads what was set aside after last, then the log.
func (c *logChain) advance() error {
	for {
		log, err := os.Open(c.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		names := c.unread() // listed after the log was opened: if there are none, it comes next
		if len(names) == 0 {
			if c.log = log; log == nil {
				return nil
			}
			return c.w.copy(log)
		}
		if log != nil {
			log.Close()
		}
		for _, name := range names {
			if err := c.aside(name, c.w.copy); err != nil {
				return err
			}
			c.last = name
		}
	}
}

// unread are the names of what was set aside after last.
func (c *logChain) unread() []string {
	return slices.DeleteFunc(asideNames(c.path), func(name string) bool { return name <= c.last })
}

// nameOf finds the name under which the log was set aside that was read to its end: the file itself or, once it is compressed, the time of
// its last line, which is the time of its rotation. One that is gone by now was named before all that is left.
func (c *logChain) nameOf(log os.FileInfo) string {
	names := c.unread()
	for _, name := range names {
		if info, err := os.Stat(c.path + "." + name); err == nil && os.SameFile(info, log) {
			return name
		}
	}
	second := c.w.last.Format("20060102-150405")
	for _, name := range []string{second + c.w.last.Format(".000000000"), second} {
		if slices.Contains(names, name) {
			return name
		}
	}
	return c.last
}

// aside reads a file that was set aside, compressed or not; one that was removed meanwhile is passed over.
func (c *logChain) aside(name string, read func(io.Reader) error) error {
	for _, ending := range []string{"", ".gz"} { // in the order in which the writer replaces one by the other
		f, err := os.Open(c.path + "." + name + ending)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		defer f.Close()
		if ending == "" {
			return read(f)
		}
		plain, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		return read(plain)
	}
	return nil
}

// seek makes the chain begin with the last n lines.
func (c *logChain) seek(n int64) {
	names := asideNames(c.path)
	lines := countLines(func(read func(io.Reader) error) error {
		f, err := os.Open(c.path)
		if err != nil {
			return err
		}
		defer f.Close()
		return read(f)
	})
	for i := len(names) - 1; lines < n && i >= 0; i-- {
		n -= lines
		name := names[i]
		names = names[:i]
		lines = countLines(func(read func(io.Reader) error) error { return c.aside(name, read) })
	}
	if len(names) > 0 {
		c.last = names[len(names)-1]
	}
	c.w.skip = max(lines-n, 0)
}

// countLines counts what with gives it to read.
func countLines(with func(read func(io.Reader) error) error) (n int64) {
	_ = with(func(r io.Reader) error { // what cannot be read has no lines
		buf := make([]byte, 64<<10)
		for {
			got, err := r.Read(buf)
			n += int64(bytes.Count(buf[:got], []byte{'\n'}))
			if err != nil {
				return err
			}
		}
	})
	return n
}

// asideNames are what was rotated away from a log, oldest first: the ends of the files' names, which are times. So few files are listed by
// the kernel in one go, so that none changes its name unseen meanwhile.
func asideNames(path string) []string {
	var names []string
	for _, file := range logFiles(path)[1:] {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(file, path+"."), ".gz"))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// logFiles are a container's log and the files rotated away from it.
func logFiles(path string) []string {
	rotated, _ := filepath.Glob(escapeGlob(path) + ".*") // the pattern is well-formed
	return append([]string{path}, slices.DeleteFunc(rotated, func(f string) bool { return strings.HasSuffix(f, ".tmp") })...)
}

func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}
