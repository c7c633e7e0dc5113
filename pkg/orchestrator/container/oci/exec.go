package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// drainPatience is how long output is read after the process has ended, when others hold its pipes open.
const drainPatience = time.Second

// Exec runs a process in a container. Its streams are pipes (or a terminal) of this process; the shim only hands them on.
func (r *Runtime) Exec(ctx context.Context, id string, e container.ExecConfig) (int, error) {
	_, s, err := r.running(id)
	if err != nil {
		return 0, fmt.Errorf("failed to exec in container: %w", err)
	}
	r.warmer.warm()
	q := wire.Request{Op: wire.OpExec, ID: id, Exec: &wire.Exec{Args: e.Args, TTY: e.TTY}}
	io := &plumbing{}
	defer io.close()
	if e.TTY {
		select {
		case size, ok := <-e.Resize:
			if ok {
				q.Exec.Width, q.Exec.Height = size.Width, size.Height
			}
		default:
		}
	} else if q.Fds, err = io.pipes(e.Streams); err != nil {
		return 0, err
	}
	c, err := request(ctx, s.dir, q, io.theirs...)
	io.handedOver()
	if err != nil {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, fmt.Errorf("failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: %w", err)
	}
	defer c.close()
	if e.TTY {
		if len(c.files) != 1 {
			return 0, errors.New("failed to exec in container: the shim gave no terminal")
		}
		if err := io.terminal(c.files[0], e.Streams); err != nil {
			return 0, err
		}
	}
	io.run(e.Streams)
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	var end wire.Reply
	_, err = wire.Receive(c.conn, &end)
	io.drain()
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err != nil:
		return 0, fmt.Errorf("exec in container %s: %w: %w", id, errNoShim, err)
	case end.Error != "":
		return 0, errors.New(end.Error)
	}
	return end.ExitCode, nil
}

// Attach joins a client to the container's own streams.
func (r *Runtime) Attach(ctx context.Context, id string, st container.Streams) error {
	_, s, err := r.running(id)
	if err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	io := &plumbing{}
	defer io.close()
	q := wire.Request{Op: wire.OpAttach, ID: id}
	if st.TTY {
		st.Stderr = nil
	}
	if q.Fds, err = io.pipes(st); err != nil {
		return err
	}
	c, err := request(ctx, s.dir, q, io.theirs...)
	io.handedOver()
	if err != nil {
		return fmt.Errorf("attach to container %s: %w", id, err)
	}
	defer c.close()
	resizes, cancel := context.WithCancel(ctx)
	defer cancel()
	if st.TTY && st.Resize != nil {
		go func() {
			for {
				select {
				case size, ok := <-st.Resize:
					if !ok {
						return
					}
					_, _ = simple(resizes, s.dir, wire.Request{Op: wire.OpResize, ID: id, Width: size.Width, Height: size.Height})
				case <-resizes.Done():
					return
				}
			}
		}()
	}
	io.run(st)
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	var end wire.Reply
	_, err = wire.Receive(c.conn, &end)
	io.drain()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("attach to container %s: %w: %w", id, errNoShim, err)
	}
	return nil
}

// plumbing is the pipes between a client's streams and a process.
type plumbing struct {
	theirs                []*os.File
	stdin, stdout, stderr *os.File // ours; a terminal is all but stderr
	tty                   bool
	outputs               sync.WaitGroup
	resized               chan struct{}
}

func (p *plumbing) pipes(s container.Streams) (wire.Fds, error) {
	f := wire.Fds{Stdin: s.Stdin != nil, Stdout: s.Stdout != nil, Stderr: s.Stderr != nil}
	if f.Stdin {
		r, w, err := os.Pipe()
		if err != nil {
			return f, err
		}
		p.stdin, p.theirs = w, append(p.theirs, r)
	}
	for _, out := range []struct {
		wanted bool
		ours   **os.File
	}{{f.Stdout, &p.stdout}, {f.Stderr, &p.stderr}} {
		if !out.wanted {
			continue
		}
		// One writer for both gets one pipe, as in os/exec: no two goroutines write to it, and the order is kept.
		if out.ours == &p.stderr && f.Stdout && same(s.Stdout, s.Stderr) {
			p.theirs = append(p.theirs, p.theirs[len(p.theirs)-1])
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			return f, err
		}
		*out.ours, p.theirs = r, append(p.theirs, w)
	}
	return f, nil
}

// same compares writers; those of types that cannot be compared are not the same.
func same(a, b io.Writer) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}

// handedOver closes our copies of what the process has now, so that its end is seen.
func (p *plumbing) handedOver() {
	wire.CloseAll(p.theirs)
	p.theirs = nil
}

func (p *plumbing) terminal(master *os.File, s container.Streams) error {
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	p.tty, p.stdout = true, os.NewFile(uintptr(fd), "terminal")
	if s.Stdin != nil {
		p.stdin = p.stdout
	}
	p.resized = make(chan struct{})
	return nil
}

// run starts copying. A client's stdin may never end: its copier ends with the process's pipe, or with the client.
func (p *plumbing) run(s container.Streams) {
	if p.stdout != nil {
		p.outputs.Go(func() { copyOut(s.Stdout, p.stdout) })
	}
	if p.stderr != nil {
		p.outputs.Go(func() { copyOut(s.Stderr, p.stderr) })
	}
	if p.stdin != nil {
		to, tty := p.stdin, p.tty
		go func() {
			_, _ = io.Copy(to, s.Stdin)
			if !tty {
				to.Close()
			}
		}()
	}
	if p.tty && s.Resize != nil {
		go p.resize(s.Resize)
	}
}

func copyOut(to io.Writer, from *os.File) {
	if to == nil {
		to = io.Discard
	}
	_, _ = io.Copy(to, from)
}

func (p *plumbing) resize(sizes <-chan container.Size) {
	raw, err := p.stdout.SyscallConn()
	if err != nil {
		return
	}
	for {
		select {
		case size, ok := <-sizes:
			if !ok {
				return
			}
			_ = raw.Control(func(fd uintptr) {
				_ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: size.Height, Col: size.Width})
			})
		case <-p.resized:
			return
		}
	}
}

// drain reads what the process left in its pipes.
func (p *plumbing) drain() {
	for _, f := range []*os.File{p.stdout, p.stderr} {
		if f != nil {
			_ = f.SetReadDeadline(time.Now().Add(drainPatience))
		}
	}
	p.outputs.Wait()
}

func (p *plumbing) close() {
	if p.resized != nil {
		close(p.resized)
	}
	wire.CloseAll(p.theirs)
	wire.CloseAll([]*os.File{p.stdin, p.stdout, p.stderr})
}
