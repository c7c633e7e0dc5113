package shim

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// pause is the first process of a pid namespace that a pod's containers share: it buries orphans and ends on SIGTERM.
func pause() int {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGCHLD, unix.SIGTERM, unix.SIGINT)
	for s := range signals {
		if s != unix.SIGCHLD {
			return 0
		}
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if err == unix.EINTR {
				continue
			}
			if pid <= 0 || err != nil {
				break
			}
		}
	}
	return 0
}
