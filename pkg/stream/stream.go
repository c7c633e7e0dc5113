// Package stream joins terminals and sockets to a pod: exec, attach, port-forward, window sizes, raw mode. It speaks the
// protocols and knows no command, no kind and no flag; which container to join its callers have found out.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"
)

// Streams are what a process in a container is joined to; nil ones are left out.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal, if set, is the user's own: it becomes raw for the time, its window's size is passed on, and all output comes on Out.
	Terminal *Terminal
}

// Run joins s to the process behind u (an exec or attach subresource with its query) until it ends. A WebSocket is tried first;
// a server or proxy that knows none gets SPDY. A process that fails gives an error for ExitCode.
func Run(ctx context.Context, config *rest.Config, u *url.URL, s Streams) error {
	executor, err := newExecutor(config, u)
	if err != nil {
		return err
	}
	options := remotecommand.StreamOptions{Stdin: s.In, Stdout: s.Out, Stderr: s.Err}
	if s.Terminal == nil {
		return join(ctx, executor, options)
	}
	options.Tty, options.Stderr = true, nil
	restore, err := s.Terminal.raw()
	if err != nil {
		return err
	}
	defer restore()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options.TerminalSizeQueue = s.Terminal.sizes(ctx)
	return join(ctx, executor, options)
}

// join waits for the process or for the end of ctx. In the latter case the connection is not taken down here but with the
// program: client-go reports one that breaks under its hands as an error of its own, on the user's screen.
func join(ctx context.Context, executor remotecommand.Executor, options remotecommand.StreamOptions) error {
	done := make(chan error, 1)
	go func() { done <- executor.StreamWithContext(context.WithoutCancel(ctx), options) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// noWebSocket tells from a failed upgrade that the way to the server takes no WebSockets.
func noWebSocket(err error) bool {
	return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
}

func newExecutor(config *rest.Config, u *url.URL) (remotecommand.Executor, error) {
	executor, err := remotecommand.NewSPDYExecutor(config, "POST", u)
	if err != nil || os.Getenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS") == "false" {
		return executor, err
	}
	socket, err := remotecommand.NewWebSocketExecutor(config, "GET", u.String())
	if err != nil {
		return nil, fmt.Errorf("prepare web socket: %w", err)
	}
	return remotecommand.NewFallbackExecutor(socket, executor, noWebSocket)
}

// ExitCode gives the code of a process that failed. Any other error has none.
func ExitCode(err error) (code int, failed bool) {
	exit, ok := errors.AsType[exec.ExitError](err)
	if !ok {
		return 0, false
	}
	return exit.ExitStatus(), true
}
