package oci

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// spawnShim starts the shim of a sandbox's directory. The socket listens before the shim runs, so nobody waits for it.
func spawnShim(program, dir string) error {
	path, release, err := socketPath(dir)
	if err != nil {
		return err
	}
	defer release()
	if err := os.Remove(filepath.Join(dir, wire.Socket)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// The directory is 0700; the socket itself is closed too, before anybody can listen on it.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return fmt.Errorf("listen for the shim: %w", err)
	}
	defer l.Close()
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(filepath.Join(dir, wire.Socket), 0o600); err != nil {
		return err
	}
	f, err := l.File()
	if err != nil {
		return err
	}
	defer f.Close()
	log, err := os.OpenFile(filepath.Join(dir, wire.ShimLog), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(program, "serve")
	cmd.Dir, cmd.Env = dir, []string{defaultPath}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{f}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start shim: %w", err)
	}
	go cmd.Wait() // its death shows on the socket; here it is only buried
	return os.WriteFile(filepath.Join(dir, pidFile), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600)
}

const pidFile = "shim.pid"

// killShim kills a shim that does not answer. The pid is another's by now unless that process works in dir.
func killShim(dir string) {
	body, err := os.ReadFile(filepath.Join(dir, pidFile))
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(string(body))
	if err != nil {
		return
	}
	if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err == nil && cwd == dir {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

// socketPath is a short name for the socket in dir: names of sockets may have 107 bytes only.
func socketPath(dir string) (path string, release func(), err error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	return "/proc/self/fd/" + strconv.Itoa(fd) + "/" + wire.Socket, func() { unix.Close(fd) }, nil
}

// call is one request to a shim and the connection it went over.
type call struct {
	conn  *net.UnixConn
	reply wire.Reply
	files []*os.File
}

// request sends a request and waits for its first answer. The caller closes the call. Ending ctx breaks it.
func request(ctx context.Context, dir string, q wire.Request, files ...*os.File) (*call, error) {
	path, release, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoShim, err)
	}
	c := &call{conn: conn}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err = wire.Send(conn, q, files...); err == nil {
		c.files, err = wire.Receive(conn, &c.reply)
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case err != nil:
		err = fmt.Errorf("%w: %w", errNoShim, err)
	case c.reply.Error != "":
		err = errors.New(c.reply.Error)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *call) close() {
	c.conn.Close()
	wire.CloseAll(c.files)
}

// simple is for requests with one answer.
func simple(ctx context.Context, dir string, q wire.Request) (wire.Reply, error) {
	c, err := request(ctx, dir, q)
	if err != nil {
		return wire.Reply{}, err
	}
	c.close()
	return c.reply, nil
}

// errNoShim is for a shim that does not answer: it was killed, or has ended.
var errNoShim = errors.New("the shim does not answer")
