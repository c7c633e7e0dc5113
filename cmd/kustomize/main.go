// Command kustomize is the engine alone, with kustomize's grammar. skiff called as kustomize does the same, but links a client
// of Kubernetes, whose package initialization takes longer than most builds.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Run(ctx, os.Args[1:], shell.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	stop()
	os.Exit(code)
}
