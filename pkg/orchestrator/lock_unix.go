package orchestrator

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Lock is a process's claim on a directory; it ends with the process.
type Lock struct{ f *os.File }

// lockDir claims dir for this process by a lock on dir/NAME.lock, which holds the process's id.
func lockDir(dir, name string) (*Lock, error) {
	path := filepath.Join(dir, name+".lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			pid, _ := os.ReadFile(path)
			return nil, fmt.Errorf("%s is in use by another %s (process %s), stop that one first, or use another --data-dir: %w", dir, name, strings.TrimSpace(string(pid)), ErrRunning)
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := f.Truncate(0); err == nil {
		_, err = fmt.Fprintf(f, "%d\n", os.Getpid())
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
	}
	return &Lock{f}, nil
}

// Release gives the directory up.
func (l *Lock) Release() {
	l.f.Truncate(0)
	l.f.Close()
}
