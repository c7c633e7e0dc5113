//go:build !windows

package stream

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// windowChanges tells when the window may have another size.
func windowChanges(context.Context) (changes <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGWINCH)
	return c, func() { signal.Stop(c) }
}

// enableOutput has nothing to do: terminals understand what programs send.
func enableOutput(*os.File) (restore func()) { return func() {} }
