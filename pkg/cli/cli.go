// Package cli holds what every command shares: the Factory with its lazy dependencies, the global flags, the streams, and
// the one place that turns an error into text and an exit code. It knows no verb and no kind, and only main exits.
package cli

import "github.com/kubeskiff/skiff/pkg/cli/shell"

// KubectlVersion is the version whose behaviour skiff keeps.
const KubectlVersion = "v1.37.2"

// Version and Commit are skiff's own.
var (
	Version = shell.Version
	Commit  = shell.Commit
)

// What a command needs without a cluster lies in shell.
type (
	// IOStreams are a command's input and outputs.
	IOStreams = shell.IOStreams
	// ExitError ends the program with a code.
	ExitError = shell.ExitError
)

// ErrExit ends the program with code 1 and prints nothing.
var ErrExit = shell.ErrExit

// IsTerminal tells whether a stream is a person's terminal.
func IsTerminal(stream any) bool { return shell.IsTerminal(stream) }

// TerminalWidth is the width of the terminal behind the stream, 0 if there is none.
func TerminalWidth(stream any) int { return shell.TerminalWidth(stream) }
