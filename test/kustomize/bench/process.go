package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// usage is what one run took. peak is in megabytes.
type usage struct {
	wall, cpu time.Duration
	peak      float64
}

// relay is the argument that makes this program run another and print what it used. A process is born with its parent's peak
// memory, so the parent must be a small one.
const relay = "-relay"

func run(program, dir string) (u usage, err error) {
	self, err := os.Executable()
	if err != nil {
		return u, err
	}
	cmd := exec.Command(self, relay, program, "build", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return u, fmt.Errorf("%s build %s: %w", program, dir, err)
	}
	_, err = fmt.Sscan(string(out), &u.wall, &u.cpu, &u.peak)
	return u, err
}

func runRelay(args []string) int {
	cmd := exec.Command(args[0], args[1:]...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", errs.String(), err)
		return 1
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	fmt.Println(int64(wall), int64(cpu), float64(used.Maxrss)/1024)
	return 0
}
