package shim

import (
	"bytes"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// reaper buries orphans that fall to the shim as subreaper: processes of containers in the node's pid namespace, and
// what an executed runtime leaves behind. Processes that somebody waits for are owned and left alone.
type reaper struct {
	forks sync.RWMutex // held for reading while an engine starts processes that are not owned yet
	mu    sync.Mutex
	owned map[int]bool
	wake  chan os.Signal
}

func newReaper() *reaper {
	r := &reaper{owned: map[int]bool{}, wake: make(chan os.Signal, 1)}
	signal.Notify(r.wake, unix.SIGCHLD)
	go func() {
		for range r.wake {
			r.reap()
		}
	}()
	return r
}

// hold keeps the reaper away until release is called.
func (r *reaper) hold() (release func()) {
	r.forks.RLock()
	return func() {
		r.forks.RUnlock()
		select {
		case r.wake <- unix.SIGCHLD: // what was skipped meanwhile
		default:
		}
	}
}

func (r *reaper) own(pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.owned[pid] = true
}

func (r *reaper) disown(pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.owned, pid)
}

func (r *reaper) reap() {
	if !r.forks.TryLock() {
		return
	}
	defer r.forks.Unlock()
	if !anyDead() {
		return
	}
	for _, pid := range children() {
		r.mu.Lock()
		owned := r.owned[pid]
		r.mu.Unlock()
		if !owned {
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
	}
}

// anyDead says whether a child waits to be buried, which costs far less than to list all. Where it cannot tell it says yes.
func anyDead() bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if errors.Is(err, unix.ECHILD) {
		return false
	}
	return err != nil || info.Signo != 0
}

// children lists the shim's own, dead or alive.
func children() []int {
	files, _ := filepath.Glob("/proc/self/task/*/children")
	var pids []int
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for _, word := range bytes.Fields(body) {
			if pid, err := strconv.Atoi(string(word)); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
