package shim

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/opencontainers/runc/libcontainer/utils"
	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// console receives the master side of a terminal that is made inside the container: over a pair of sockets by
// libcontainer, over a socket with a name by an executed runtime.
type console struct {
	child  *os.File
	parent *os.File

	path     string
	listener *net.UnixListener
}

func newConsole() (*console, error) {
	parent, child, err := utils.NewSockPair("console")
	if err != nil {
		return nil, fmt.Errorf("make console socket: %w", err)
	}
	return &console{child: child, parent: parent}, nil
}

// newNamedConsole listens below the working directory, since names of sockets are short. The runtime, which may work in another, is
// told the way there by this process.
func newNamedConsole(name string) (*console, error) {
	path := filepath.Join(wire.StateDir, name)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("make console socket: %w", err)
	}
	return &console{path: fmt.Sprintf("/proc/%d/cwd/%s", os.Getpid(), path), listener: l}, nil
}

// master waits for the terminal, once the process runs.
func (c *console) master() (*os.File, error) {
	if c.listener != nil {
		conn, err := c.listener.AcceptUnix()
		if err != nil {
			return nil, fmt.Errorf("accept console: %w", err)
		}
		defer conn.Close()
		if c.parent, err = conn.File(); err != nil {
			return nil, fmt.Errorf("accept console: %w", err)
		}
	}
	f, err := utils.RecvFile(c.parent)
	if err != nil {
		return nil, fmt.Errorf("receive console: %w", err)
	}
	defer f.Close()
	return pollable(f)
}

func (c *console) close() {
	wire.CloseAll([]*os.File{c.child, c.parent})
	if c.listener != nil {
		c.listener.Close()
	}
}

// pollable gives the file anew so that reads and writes park a goroutine, not a thread, and take deadlines.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("duplicate %s: %w", f.Name(), err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("make %s non-blocking: %w", f.Name(), err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

func resize(master *os.File, width, height uint16) error {
	raw, err := master.SyscallConn()
	if err != nil {
		return err
	}
	var serr error
	err = raw.Control(func(fd uintptr) {
		serr = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: height, Col: width})
	})
	if err != nil {
		return err
	}
	return serr
}
