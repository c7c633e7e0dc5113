package image

import (
	"errors"
	"io"
	"sync"
)

// ahead reads from a source in a goroutine of its own, some blocks in advance: one core decompresses while the other
// writes files. Close returns once the source is no longer used.
type ahead struct {
	full, free chan []byte
	stop       chan struct{}
	once       sync.Once
	done       chan struct{}
	block      []byte // being read
	left       []byte
	err        error // after full was closed
}

const aheadBlocks = 4

func newAhead(r io.Reader) *ahead {
	a := &ahead{full: make(chan []byte, aheadBlocks), free: make(chan []byte, aheadBlocks), stop: make(chan struct{}), done: make(chan struct{})}
	for range aheadBlocks {
		a.free <- make([]byte, 256<<10)
	}
	go a.fill(r)
	return a
}

func (a *ahead) fill(r io.Reader) {
	defer close(a.done)
	defer close(a.full)
	for {
		select {
		case <-a.stop:
			a.err = errors.New("closed")
			return
		case buf := <-a.free:
			n, err := io.ReadFull(r, buf)
			a.full <- buf[:n] // never waits: there is room for all blocks
			if err == io.ErrUnexpectedEOF {
				err = io.EOF
			}
			if err != nil {
				a.err = err
				return
			}
		}
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.left) == 0 {
		if a.block != nil {
			a.free <- a.block[:cap(a.block)]
			a.block = nil
		}
		block, ok := <-a.full
		if !ok {
			return 0, a.err
		}
		a.block, a.left = block, block
	}
	n := copy(p, a.left)
	a.left = a.left[n:]
	return n, nil
}

func (a *ahead) Close() {
	a.once.Do(func() { close(a.stop) })
	<-a.done
}
