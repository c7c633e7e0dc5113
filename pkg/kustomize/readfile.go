package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// maxFile is more than any cluster takes; without a bound a wrong name could fill the memory.
const maxFile = 64 << 20

var (
	errTooLarge = errors.New("the file is too large")
	errTooSlow  = errors.New("it is a pipe or a device, and nobody ends writing to it")
)

// unreadable holds for a file that is there, so that looking for it elsewhere would only hide why it can't be read.
func unreadable(err error) bool {
	return errors.Is(err, errTooLarge) || errors.Is(err, errTooSlow) || errors.Is(err, fs.ErrPermission)
}

func (d disk) ReadFile(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return d.readSoon(path)
	}
	return readBounded(path)
}

// readSoon gives up on what even to open may take for ever.
func (d disk) readSoon(path string) ([]byte, error) {
	type content struct {
		data []byte
		err  error
	}
	done := make(chan content, 1)
	go func() {
		data, err := readBounded(path)
		done <- content{data, err}
	}()
	select {
	case c := <-done:
		return c.data, c.err
	case <-time.After(d.patience):
		return nil, fmt.Errorf("read %s: %w: waited for %s", path, errTooSlow, d.patience)
	}
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var size int64
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	var b bytes.Buffer
	if size <= maxFile {
		b.Grow(int(size) + bytes.MinRead)
		if _, err := b.ReadFrom(io.LimitReader(f, maxFile+1)); err != nil {
			return nil, err
		}
	}
	if size > maxFile || b.Len() > maxFile {
		return nil, fmt.Errorf("read %s: %w: it has more than %d MB", path, errTooLarge, maxFile>>20)
	}
	return b.Bytes(), nil
}
