package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is a running server or agent of a cluster, found by the lock that it holds.
type process struct {
	lock string // path of the lock file
	pid  int
}

// running finds the processes that hold locks in the cluster's directory: agents first, then the server.
func running(dir string) ([]process, error) {
	locks, err := filepath.Glob(filepath.Join(dir, "nodes", "*", "agent.lock"))
	if err != nil {
		return nil, fmt.Errorf("look for agents: %w", err)
	}
	var out []process
	for _, path := range append(locks, filepath.Join(dir, "server.lock")) {
		pid, err := holder(path)
		if err != nil {
			return nil, err
		}
		if pid > 0 {
			out = append(out, process{path, pid})
		}
	}
	return out, nil
}

// holder gives the id of the process that holds the lock, 0 for none.
func holder(path string) (int, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read lock: %w", err)
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if err == nil {
		return 0, nil
	}
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return 0, fmt.Errorf("probe lock %s: %w", path, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read lock: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0, fmt.Errorf("lock %s is held by a process that has not said who it is; try again", path)
	}
	return pid, nil
}

// IsRunning says whether a server holds the cluster's directory.
func IsRunning(dir string) (bool, error) {
	pid, err := holder(filepath.Join(dir, "server.lock"))
	return pid > 0, err
}

// terminate asks a process to end, and kills it when it has not within patience.
func terminate(ctx context.Context, p process, patience time.Duration) error {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", p.pid, err)
	}
	defer unix.Close(fd)
	// The lock is read again behind the pidfd, so that a process that took the id over is never hit.
	if pid, err := holder(p.lock); err != nil || pid != p.pid {
		return err
	}
	for _, step := range []struct {
		signal unix.Signal
		wait   time.Duration
	}{{unix.SIGTERM, patience}, {unix.SIGKILL, 10 * time.Second}} {
		if err := unix.PidfdSendSignal(fd, step.signal, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("signal process %d: %w", p.pid, err)
		}
		ended, err := waitPidfd(ctx, fd, step.wait)
		if err != nil || ended {
			return err
		}
	}
	return fmt.Errorf("process %d does not end", p.pid)
}

// waitPidfd waits for the process behind fd to end.
func waitPidfd(ctx context.Context, fd int, limit time.Duration) (ended bool, err error) {
	deadline := time.Now().Add(limit)
	for ctx.Err() == nil {
		left := time.Until(deadline)
		if left <= 0 {
			return false, nil
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(min(left, 200*time.Millisecond).Milliseconds())+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return false, fmt.Errorf("wait for a process: %w", err)
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, ctx.Err()
}
