package shim

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// exec runs a process in a container. Its streams are the caller's own descriptors, so no byte passes through here; a
// caller that goes takes the process with it.
func (s *server) exec(conn *net.UnixConn, r wire.Request, files []*os.File) error {
	defer func() { wire.CloseAll(files) }()
	c, err := s.find(r.ID)
	if err != nil {
		return err
	}
	if r.Exec == nil || len(r.Exec.Args) == 0 {
		return fmt.Errorf("exec in %s: no command", r.ID)
	}
	io, err := execStreams(r, files, c)
	if err != nil {
		return err
	}
	if io.console != nil {
		defer io.console.close()
	}
	s.stir()
	release := s.reaper.hold()
	p, err := c.task.exec(r.Exec.Args, io)
	if err == nil {
		s.reaper.own(p.pid())
		defer s.reaper.disown(p.pid())
	}
	release()
	if err != nil {
		return err
	}
	wire.CloseAll(files)
	files = nil
	if err := answer(conn, p, io); err != nil {
		_ = p.kill()
		_, _ = p.wait()
		return err
	}
	done := make(chan struct{})
	gone := hangup(conn)
	go func() {
		select {
		case <-gone:
			_ = p.kill()
		case <-done:
		}
	}()
	ws, err := p.wait()
	close(done)
	if err != nil {
		return fmt.Errorf("wait for process: %w", err)
	}
	code, _ := exitCode(ws)
	return wire.Send(conn, wire.Reply{ExitCode: code})
}

// answer says that the process runs and hands its terminal over.
func answer(conn *net.UnixConn, p process, io streams) error {
	if io.console == nil {
		return wire.Send(conn, wire.Reply{PID: p.pid()})
	}
	master, err := io.console.master()
	if err != nil {
		return err
	}
	defer master.Close()
	return wire.Send(conn, wire.Reply{PID: p.pid()}, master)
}

func execStreams(r wire.Request, files []*os.File, c *ctr) (streams, error) {
	io := streams{width: r.Exec.Width, height: r.Exec.Height}
	if r.Exec.TTY {
		var err error
		if e, ok := c.task.(*externalTask); ok {
			io.console, err = newNamedConsole(fmt.Sprintf("tty.%d.%d", time.Now().UnixNano(), e.sequence.Add(1)))
		} else {
			io.console, err = newConsole()
		}
		return io, err
	}
	var err error
	io.stdin, io.stdout, io.stderr, err = assign(r.Fds, files)
	return io, err
}

// assign gives each descriptor its name.
func assign(f wire.Fds, files []*os.File) (stdin, stdout, stderr *os.File, err error) {
	next := func(wanted bool) *os.File {
		if !wanted || len(files) == 0 {
			return nil
		}
		first := files[0]
		files = files[1:]
		return first
	}
	stdin, stdout, stderr = next(f.Stdin), next(f.Stdout), next(f.Stderr)
	if len(files) > 0 || f.Stdin != (stdin != nil) || f.Stdout != (stdout != nil) || f.Stderr != (stderr != nil) {
		return nil, nil, nil, fmt.Errorf("the descriptors are not those that were announced")
	}
	return stdin, stdout, stderr, nil
}
