// Command kustomize is the engine alone, with kustomize's grammar. skiff called as kustomize does the same, but links a client
// of Kubernetes, whose package initialization takes longer than most builds.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize/command"
)

const (
	// soon is when most builds have ended. Until then a signal ends the program as any other: to catch it starts threads, which
	// would take a tenth of a small build.
	soon = 20 * time.Millisecond
	// grace is for taking away what was fetched. A build itself, and who waits for a pipe, does not hear of a signal.
	grace = 2 * time.Second
	// interrupted is the exit code of a program that Ctrl-C ended.
	interrupted = 130
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(soon, func() {
		caught, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		<-caught.Done()
		// A second signal ends it at once.
		stop()
		cancel()
		<-time.After(grace)
		os.Exit(interrupted)
	})
	os.Exit(command.Run(ctx, os.Args[1:], shell.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
}
