//go:build unix

package main

import "syscall"

// execute puts another program in place of this one.
func execute(path string, args []string) error {
	return syscall.Exec(path, append([]string{path}, args...), environ())
}
