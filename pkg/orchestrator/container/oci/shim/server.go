package shim

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// server answers the runtime, one goroutine for each connection and one request on each.
type server struct {
	dir      string
	listener *net.UnixListener
	reaper   *reaper
	idle     *time.Timer // fires when nothing was started for a while

	mu          sync.Mutex
	containers  map[string]*ctr
	starting    map[string]chan struct{} // closed when the start has ended
	engines     map[string]engine
	subscribers map[chan wire.Event]struct{}
}

func newServer(dir string, l *net.UnixListener) *server {
	return &server{dir: dir, listener: l, reaper: newReaper(), idle: time.AfterFunc(trimDelay, trim), containers: map[string]*ctr{}, starting: map[string]chan struct{}{}, engines: map[string]engine{},
		subscribers: map[chan wire.Event]struct{}{}}
}

func (s *server) run() error {
	if err := os.MkdirAll(filepath.Join(s.dir, wire.StateDir), 0o700); err != nil {
		return err
	}
	for {
		c, err := s.listener.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		go s.serve(c)
	}
}

// serve handles one connection. Only the shim's own user may speak: the socket's mode says so, and so does its peer.
func (s *server) serve(c *net.UnixConn) {
	defer c.Close()
	if !samePeer(c) {
		return
	}
	var r wire.Request
	files, err := wire.Receive(c, &r)
	if err != nil {
		return
	}
	switch r.Op {
	case wire.OpExec:
		err = s.exec(c, r, files)
	case wire.OpAttach:
		err = s.attach(c, r, files)
	case wire.OpEvents:
		s.events(c)
		return
	case wire.OpShutdown:
		wire.CloseAll(files)
		s.shutdown()
		return
	default:
		wire.CloseAll(files)
		var reply wire.Reply
		if reply, err = s.simple(r); err == nil {
			_ = wire.Send(c, reply)
			return
		}
	}
	if err != nil {
		_ = wire.Send(c, wire.Reply{Error: err.Error()})
	}
}

func (s *server) simple(r wire.Request) (wire.Reply, error) {
	switch r.Op {
	case wire.OpStart:
		return s.start(r)
	case wire.OpForget:
		return wire.Reply{}, s.forget(r.ID)
	}
	c, err := s.find(r.ID)
	if err != nil {
		return wire.Reply{}, err
	}
	switch r.Op {
	case wire.OpSignal:
		return wire.Reply{}, c.signal(r.Signal, r.All)
	case wire.OpResize:
		return wire.Reply{}, c.resize(r.Width, r.Height)
	case wire.OpReopen:
		return wire.Reply{}, c.log.reopen()
	}
	return wire.Reply{}, fmt.Errorf("unknown request %q", r.Op)
}

func (s *server) find(id string) (*ctr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.containers[id]
	if c == nil {
		return nil, fmt.Errorf("container %s is not running", id)
	}
	return c, nil
}

// engine gives the one that a container asks for, made once.
func (s *server) engine(path string) engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.engines[path]
	if e == nil {
		state := filepath.Join(s.dir, wire.StateDir)
		if path == "" {
			e = native{state: state}
		} else {
			e = &external{path: path, state: state}
		}
		s.engines[path] = e
	}
	return e
}

// events tells of ends until the other side goes.
func (s *server) events(c *net.UnixConn) {
	ch := make(chan wire.Event, 64)
	s.mu.Lock()
	s.subscribers[ch] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.subscribers, ch)
		s.mu.Unlock()
	}()
	gone := hangup(c)
	if wire.Send(c, wire.Reply{}) != nil {
		return
	}
	for {
		select {
		case e := <-ch:
			if wire.Send(c, e) != nil {
				return
			}
		case <-gone:
			return
		}
	}
}

// publish never waits: one that does not read is cut off, and reads the exit files when it connects again.
func (s *server) publish(e wire.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ch := range s.subscribers {
		select {
		case ch <- e:
		default:
			fmt.Fprintln(os.Stderr, "skiff-shim: a reader of events is stuck; event of", e.ID, "dropped")
		}
	}
}

// shutdown kills what still runs, waits for it to be recorded, and ends the process by closing the listener.
func (s *server) shutdown() {
	s.mu.Lock()
	all := make([]*ctr, 0, len(s.containers))
	for _, c := range s.containers {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		_ = c.signal(int(unix.SIGKILL), true)
	}
	for _, c := range all {
		<-c.gone
	}
	s.listener.Close()
}

// hangup closes the channel when the other side of a connection that has nothing more to say goes.
func hangup(c *net.UnixConn) <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = c.Read(make([]byte, 1))
	}()
	return gone
}

func samePeer(c *net.UnixConn) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	same := false
	err = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		same = err == nil && int(cred.Uid) == os.Geteuid()
	})
	return err == nil && same
}
