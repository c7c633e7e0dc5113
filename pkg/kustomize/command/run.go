package command

import (
	"context"
	"errors"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
)

// Run is a program called kustomize, up to its exit code. Its output is not set: where it is, cobra prints warnings and the
// usage after an error there too.
func Run(ctx context.Context, args []string, io shell.IOStreams) int {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	root := newRoot(io, name)
	root.SetArgs(args)
	root.SetIn(io.In)
	root.SetErr(io.ErrOut)
	err := root.ExecuteContext(ctx)
	if exit, ok := errors.AsType[*shell.ExitError](err); ok {
		return exit.Code
	}
	if err != nil {
		return 1
	}
	return 0
}
