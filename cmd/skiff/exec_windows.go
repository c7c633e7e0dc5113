package main

import (
	"errors"
	"os"
	"os/exec"

	"github.com/kubeskiff/skiff/pkg/cli"
)

// execute runs another program to its end, since Windows cannot put it in place of this one.
func execute(path string, args []string) error {
	cmd := exec.Command(path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdin, os.Stdout, os.Stderr, environ()
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return &cli.ExitError{Code: exit.ExitCode()}
	}
	return err
}
