package shim

import (
	"io"
	"net"
	"os"
	"sync"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// attach joins the caller's descriptors to the container's streams until it ends or the caller goes.
func (s *server) attach(conn *net.UnixConn, r wire.Request, files []*os.File) error {
	c, err := s.find(r.ID)
	if err != nil {
		wire.CloseAll(files)
		return err
	}
	defer wire.CloseAll(files)
	own, err := own(files)
	if err != nil {
		return err
	}
	defer wire.CloseAll(own)
	stdin, stdout, stderr, err := assign(r.Fds, own)
	if err != nil {
		return err
	}
	var once sync.Once
	dropped := make(chan struct{})
	drop := func() { once.Do(func() { close(dropped) }) }
	if stdout != nil {
		c.out.add(stdout, drop)
		defer c.out.remove(stdout)
	}
	if stderr != nil {
		c.err.add(stderr, drop)
		defer c.err.remove(stderr)
	}
	if err := wire.Send(conn, wire.Reply{}); err != nil {
		return err
	}
	if stdin != nil {
		go c.feed(stdin)
	}
	select {
	case <-c.gone:
	case <-hangup(conn):
		return nil
	case <-dropped:
	}
	return wire.Send(conn, wire.Reply{})
}

// feed copies to the container's stdin; closing the source ends it.
func (c *ctr) feed(from *os.File) {
	c.mu.Lock()
	to := c.stdin
	c.mu.Unlock()
	if to == nil {
		return
	}
	_, err := io.Copy(to, from)
	if err != nil || !c.stdinOnce || c.tty != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stdin != nil {
		c.stdin.Close()
		c.stdin = nil
	}
}

// own gives descriptors that park goroutines, and closes those that came.
func own(files []*os.File) ([]*os.File, error) {
	var made []*os.File
	for _, f := range files {
		p, err := pollable(f)
		if err != nil {
			wire.CloseAll(made)
			return nil, err
		}
		made = append(made, p)
	}
	return made, nil
}
