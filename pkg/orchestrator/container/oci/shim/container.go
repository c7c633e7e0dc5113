package shim

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// drainPatience is how long the pipes of a container that ended may stay open in the hands of others.
const drainPatience = 2 * time.Second

// ctr is a container that this shim started.
type ctr struct {
	id        string
	dir       string
	task      task
	log       *logFile
	stdinOnce bool

	out, err fanout
	pumps    sync.WaitGroup
	readers  []*os.File // the shim's ends of stdout and stderr, or the terminal
	stdin    *os.File   // nil: not wanted, or closed
	tty      *os.File

	mu     sync.Mutex
	exited bool
	gone   chan struct{} // closed when the exit is on disk
}

// start runs the container of a bundle and answers with its first process.
func (s *server) start(r wire.Request) (wire.Reply, error) {
	if r.Start == nil || filepath.Base(r.ID) != r.ID {
		return wire.Reply{}, fmt.Errorf("start of %q: malformed request", r.ID)
	}
	s.stir()
	release, running := s.claim(r.ID)
	defer release()
	if running != nil {
		return wire.Reply{PID: running.task.pid()}, nil
	}
	dir := filepath.Join(s.dir, wire.Containers, r.ID)
	c := &ctr{id: r.ID, dir: dir, stdinOnce: r.Start.StdinOnce, gone: make(chan struct{})}
	var err error
	if c.log, err = openLog(r.Start.LogPath, r.Start.LogMaxSize, r.Start.LogMaxFiles); err != nil {
		return wire.Reply{}, err
	}
	if err := s.launch(c, r.Start); err != nil {
		c.closeStreams()
		return wire.Reply{}, err
	}
	now := time.Now()
	// The record is written under the lock, so that the shim cannot be asked about what is not on disk.
	s.mu.Lock()
	s.containers[c.id] = c
	err = wire.WriteFile(filepath.Join(dir, wire.Started), wire.StartRecord{PID: c.task.pid(), Started: now}, false)
	s.mu.Unlock()
	go s.watch(c)
	if err != nil {
		_ = c.signal(int(syscall.SIGKILL), true)
		return wire.Reply{}, err
	}
	return wire.Reply{PID: c.task.pid()}, nil
}

// claim keeps two starts of one container apart: the agent that asked first may be dead, and the next one asks again.
func (s *server) claim(id string) (release func(), running *ctr) {
	for {
		s.mu.Lock()
		other := s.starting[id]
		if other == nil {
			mine := make(chan struct{})
			s.starting[id] = mine
			running = s.containers[id]
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				delete(s.starting, id)
				s.mu.Unlock()
				close(mine)
			}, running
		}
		s.mu.Unlock()
		<-other
	}
}

// forget ends a container, if it runs, and drops it.
func (s *server) forget(id string) error {
	release, c := s.claim(id)
	defer release()
	if c == nil {
		return nil
	}
	if err := c.signal(int(syscall.SIGKILL), true); err != nil {
		return err
	}
	<-c.gone
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.containers, id)
	return nil
}

func (s *server) launch(c *ctr, r *wire.Start) error {
	io, err := c.prepare(r)
	if err != nil {
		return err
	}
	release := s.reaper.hold()
	c.task, err = s.engine(r.Runtime).start(c.id, c.dir, io)
	if err == nil {
		s.reaper.own(c.task.pid())
	}
	release()
	wire.CloseAll([]*os.File{io.stdin, io.stdout, io.stderr})
	if err == nil && io.console != nil {
		c.tty, err = io.console.master()
		if err == nil {
			c.stdin = c.tty
			c.pump(c.tty, "stdout", &c.out)
		} else {
			_ = c.task.signal(syscall.SIGKILL, true)
			_, _ = c.task.wait()
			_ = c.task.destroy()
		}
	}
	if io.console != nil {
		io.console.close()
	}
	return err
}

// prepare makes the streams: the container's ends are returned, the shim's own are read at once.
func (c *ctr) prepare(r *wire.Start) (streams, error) {
	var io streams
	var err error
	if r.TTY {
		if io.console, err = newConsole(); err == nil && r.Runtime != "" {
			io.console.close()
			io.console, err = newNamedConsole(fmt.Sprintf("tty.%d", time.Now().UnixNano()))
		}
		return io, err
	}
	if r.Stdin {
		if io.stdin, c.stdin, err = os.Pipe(); err != nil {
			return io, err
		}
	}
	for _, p := range []struct {
		end  **os.File
		name string
		to   *fanout
	}{{&io.stdout, "stdout", &c.out}, {&io.stderr, "stderr", &c.err}} {
		read, write, err := os.Pipe()
		if err != nil {
			return io, err
		}
		*p.end = write
		c.pump(read, p.name, p.to)
	}
	return io, nil
}

func (c *ctr) pump(r *os.File, stream string, to *fanout) {
	c.readers = append(c.readers, r)
	c.pumps.Go(func() { pump(r, stream, c.log, to) })
}

// watch waits for the end of a container and records it before anybody hears of it.
func (s *server) watch(c *ctr) {
	ws, err := c.task.wait()
	s.reaper.disown(c.task.pid())
	exit := wire.Exit{Finished: time.Now()}
	if err != nil {
		exit.ExitCode, exit.Reason, exit.Message = 255, "Unknown", err.Error()
	} else {
		exit.ExitCode, exit.Signal = exitCode(ws)
	}
	exit.OOMKilled = exit.ExitCode != 0 && c.task.oomKilled()
	c.mu.Lock()
	c.exited = true
	c.mu.Unlock()
	c.task.sweep() // they would hold the pipes open
	for _, r := range c.readers {
		_ = r.SetReadDeadline(time.Now().Add(drainPatience))
	}
	c.pumps.Wait()
	c.closeStreams()
	if err := wire.WriteFile(filepath.Join(c.dir, wire.Exited), exit, true); err != nil {
		fmt.Fprintln(os.Stderr, "skiff-shim: record the end of", c.id+":", err)
	}
	if err := c.task.destroy(); err != nil {
		fmt.Fprintln(os.Stderr, "skiff-shim: clean up", c.id+":", err)
	}
	close(c.gone)
	s.publish(wire.Event{ID: c.id, Exit: exit})
}

func (c *ctr) closeStreams() {
	c.log.close()
	wire.CloseAll(c.readers)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stdin != nil {
		c.stdin.Close()
		c.stdin = nil
	}
}

// signal does nothing to a container that has ended: its pid may be another's by now.
func (c *ctr) signal(n int, all bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exited {
		return nil
	}
	return c.task.signal(syscall.Signal(n), all)
}

func (c *ctr) resize(width, height uint16) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tty == nil || c.exited {
		return nil
	}
	return resize(c.tty, width, height)
}
