// Package shim is the small process beside each pod: it starts the pod's containers (by libcontainer, or by executing
// another OCI runtime), holds their pipes and terminals, writes their logs, and records how they end, whether or not a
// node agent lives to see it. It never decides what should run, pulls nothing, and opens no network connection; it
// obeys one unix socket that only its own user can reach.
package shim

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"github.com/opencontainers/runc/libcontainer"
	_ "github.com/opencontainers/runc/libcontainer/nsenter" // enters namespaces before Go's runtime starts
	"golang.org/x/sys/unix"

	_ "github.com/opencontainers/cgroups/devices" // without it device rules are refused
)

// listenerFd is where the one that starts the shim puts the listening socket.
const listenerFd = 3

// Main is the whole program. Its arguments are those of the process: "init" is libcontainer's own call of itself inside
// a new container, "pause" the first process of a shared pid namespace, "serve" the shim.
func Main(args []string) int {
	if len(args) < 2 {
		fmt.Fprintln(os.Stderr, "skiff-shim: started by skiffd, not by hand")
		return 2
	}
	switch args[1] {
	case "init":
		libcontainer.Init()
		return 1
	case "pause":
		return pause()
	case "serve":
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, "skiff-shim:", err)
			return 1
		}
		return 0
	}
	fmt.Fprintf(os.Stderr, "skiff-shim: unknown command %q\n", args[1])
	return 2
}

// serve runs in the sandbox's directory until it is told to shut down.
func serve() error {
	runtime.GOMAXPROCS(2)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	// Last to be killed when memory is short; without CAP_SYS_RESOURCE it stays as it is.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("-998"), 0)
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the sandbox's directory: %w", err)
	}
	f := os.NewFile(listenerFd, "listener")
	l, err := net.FileListener(f)
	f.Close()
	if err != nil {
		return fmt.Errorf("take the listening socket: %w", err)
	}
	ul, ok := l.(*net.UnixListener)
	if !ok {
		return errors.New("the listening socket is no unix socket")
	}
	ul.SetUnlinkOnClose(false)
	return newServer(dir, ul).run()
}
