package oci

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// ownThread runs do on a thread that ends with it, so that do may leave the process's namespaces. Never on the
// process's first thread: Go cannot end that one, and /proc/self would show what it left behind.
func ownThread(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // not unlocked: the thread ends with the goroutine
		if unix.Gettid() != unix.Getpid() {
			done <- do()
			return
		}
		inner := make(chan error, 1)
		go func() { // on another thread, since this one is held
			runtime.LockOSThread()
			inner <- do()
		}()
		done <- <-inner
		runtime.UnlockOSThread()
	}()
	return <-done
}
