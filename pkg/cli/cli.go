// Package cli holds what every command shares: the Factory with its lazy dependencies, the global flags, the streams, and
// the one place that turns an error into text and an exit code. It knows no verb and no kind, and only main exits.
package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// KubectlVersion is the version whose behaviour skiff keeps.
const KubectlVersion = "v1.37.2"

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
