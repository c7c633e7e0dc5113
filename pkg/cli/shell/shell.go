// Package shell is what a command needs of the shell that started it: streams, the terminal behind them, an exit code; and the
// versions to tell it. It links nothing of Kubernetes, so that a program without a cluster starts at once.
package shell

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// Version and Commit are skiff's own, set by the linker.
var (
	Version = "dev"
	Commit  = "unknown"
)

// IOStreams are a command's input and outputs.
type IOStreams struct {
	In     io.Reader
	Out    io.Writer
	ErrOut io.Writer
}

// IsTerminal tells whether a stream is a person's terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// TerminalWidth is the width of the terminal behind the stream, 0 if there is none.
func TerminalWidth(stream any) int {
	f, ok := stream.(*os.File)
	if !ok {
		return 0
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return w
}

// ExitError ends the program with a code. Without Err nothing is printed: the command has said all there is to say.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }

// ErrExit ends the program with code 1 and prints nothing.
var ErrExit error = &ExitError{Code: 1}
