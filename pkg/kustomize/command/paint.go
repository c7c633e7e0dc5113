package command

import (
	"io"
	"os"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
)

// paint colours text for a person. The zero value leaves it as it is.
type paint bool

// paintFor colours on a terminal only, and never where NO_COLOR is set.
func paintFor(out io.Writer) paint {
	_, never := os.LookupEnv("NO_COLOR")
	return paint(shell.IsTerminal(out) && !never && os.Getenv("TERM") != "dumb")
}

func (p paint) in(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) bold(s string) string  { return p.in("1", s) }
func (p paint) faint(s string) string { return p.in("2", s) }
func (p paint) red(s string) string   { return p.in("31", s) }
func (p paint) green(s string) string { return p.in("32", s) }
func (p paint) amber(s string) string { return p.in("33", s) }
