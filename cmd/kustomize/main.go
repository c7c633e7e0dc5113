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
	// grace is for taking away what was fetched. A build itself, and who waits for a pipe, does not hear of a signal.
	grace = 2 * time.Second
	// interrupted is the exit code of a program that Ctrl-C ended.
	interrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		// A second signal ends it at once.
		stop()
		<-time.After(grace)
		os.Exit(interrupted)
	})
	os.Exit(command.Run(ctx, os.Args[1:], shell.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
}
