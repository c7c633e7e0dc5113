// Command skiff is the client and the kustomize engine in one file. Called as kubectl it behaves as kubectl, called as
// kustomize as kustomize. It never links the orchestrator: the built-in cluster is executed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"k8s.io/klog/v2"

	"github.com/kubeskiff/skiff/pkg/cli"
	kustomize "github.com/kubeskiff/skiff/pkg/kustomize/command"
)

func main() {
	collectLate()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends what the first one does not.
	context.AfterFunc(ctx, stop)
	code := start(ctx, os.Args, cli.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	stop()
	os.Exit(code)
}

// collectLate puts off the first collection of garbage from 4 MB to 32 MB of heap: most commands have ended by then. Those that have
// not go on as usual.
func collectLate() {
	usual := debug.SetGCPercent(800)
	runtime.AddCleanup(&witness{}, func(percent int) { debug.SetGCPercent(percent) }, usual)
}

// witness is freed by the first collection. The pointer keeps it from sharing its memory with what lives on.
type witness struct{ _ *byte }

// interrupted is the exit code of a program that Ctrl-C ended.
const interrupted = 130

func start(ctx context.Context, argv []string, io cli.IOStreams) int {
	// As kubectl: what client-go logs carries no name of its logger.
	klog.EnableContextualLogging(false)
	f := cli.New(io, argv[0])
	wire(f)
	if strings.TrimSuffix(filepath.Base(argv[0]), ".exe") == "kustomize" {
		return kustomize.Run(ctx, argv[1:], io)
	}
	root := newRoot(f)
	if done, err := runPlugin(root, argv[1:]); done {
		return report(io, err)
	}
	// The output is not set: where it is, cobra prints warnings there too.
	root.SetArgs(argv[1:])
	root.SetIn(io.In)
	root.SetErr(io.ErrOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = f.WarningError()
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return interrupted
	}
	return report(io, err)
}

func report(io cli.IOStreams, err error) int {
	text, code := cli.Explain(err)
	fmt.Fprint(io.ErrOut, text)
	return code
}
