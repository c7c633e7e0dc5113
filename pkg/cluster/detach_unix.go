//go:build !windows

package cluster

import (
	"os"
	"os/exec"
	"syscall"
)

// detach lets the program outlive the command and its terminal.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

func interrupt(p *os.Process) { _ = p.Signal(syscall.SIGTERM) }
