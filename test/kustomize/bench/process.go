package main

import (
	"bytes"
	"errors"
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

// timed adds one build, whose output goes to a file.
func timed(list []usage, program, dir, output string) ([]usage, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, relay, output, program, "build", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s build %s: %w", program, dir, err)
	}
	var u usage
	_, err = fmt.Sscan(string(out), &u.wall, &u.cpu, &u.peak)
	return append(list, u), err
}

func runRelay(output string, args []string) int {
	out, err := os.Create(output)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer out.Close()
	cmd := exec.Command(args[0], args[1:]...)
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &errs
	start := time.Now()
	err = cmd.Run()
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

func sameFile(a, b string) (bool, error) {
	x, errA := os.ReadFile(a)
	y, errB := os.ReadFile(b)
	return bytes.Equal(x, y), errors.Join(errA, errB)
}
