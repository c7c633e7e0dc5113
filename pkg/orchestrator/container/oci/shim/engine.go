package shim

import (
	"os"
	"syscall"
)

// engine makes containers of bundles: native by libcontainer, external by executing an OCI runtime.
type engine interface {
	// start creates and starts the container of the bundle in dir with the given streams.
	start(id, dir string, io streams) (task, error)
}

// task is a started container.
type task interface {
	process
	// signal goes to the first process, or to every one.
	signal(s syscall.Signal, all bool) error
	exec(args []string, io streams) (process, error)
	// sweep kills what the first process, which has ended, left running in a pid namespace that is not its own.
	sweep()
	// oomKilled tells whether the kernel killed one of its processes for memory; asked before destroy.
	oomKilled() bool
	// destroy removes what the kernel and the engine still hold once the first process is gone.
	destroy() error
}

// process is one to wait for.
type process interface {
	pid() int
	wait() (syscall.WaitStatus, error)
	kill() error
}

// streams are a process's ends: three files (nil means /dev/null), or a terminal.
type streams struct {
	stdin, stdout, stderr *os.File
	console               *console
	width, height         uint16
}

// exitCode is a shell's: 128 and the signal's number for a process that a signal ended.
func exitCode(ws syscall.WaitStatus) (code, signal int) {
	if ws.Signaled() {
		return 128 + int(ws.Signal()), int(ws.Signal())
	}
	return ws.ExitStatus(), 0
}
