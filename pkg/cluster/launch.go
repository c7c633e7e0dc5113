package cluster

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// report is one line that a program of ours writes to its ready pipe: progress any number of times, then ready or an error.
type report struct {
	Progress string `json:"progress,omitempty"`
	Ready    bool   `json:"ready,omitempty"`
	Running  bool   `json:"running,omitempty"` // somebody else runs it already
	Error    string `json:"error,omitempty"`
}

// stopPatience is how long a start that was called off may take to clean up.
const stopPatience = 40 * time.Second

// launch starts a program of ours in a session of its own, its output in logFile, and waits until it says that it is
// ready. When ctx ends first, the program is told to stop and waited for: nothing half-made is left behind.
func launch(ctx context.Context, logFile, program string, args []string, progress func(string)) (report, error) {
	if err := os.MkdirAll(filepath.Dir(logFile), 0o700); err != nil {
		return report{}, fmt.Errorf("make the cluster's directory: %w", err)
	}
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return report{}, fmt.Errorf("open the log: %w", err)
	}
	defer log.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return report{}, fmt.Errorf("make the ready pipe: %w", err)
	}
	defer r.Close()
	cmd := exec.Command(program, append(args, "--ready-fd=3")...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{w}
	detach(cmd)
	err = cmd.Start()
	w.Close()
	if err != nil {
		return report{}, fmt.Errorf("start %s: %w", program, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	last := make(chan report, 1)
	go func() { last <- follow(r, progress) }()
	select {
	case rep := <-last:
		return rep, rep.err(logFile, ended)
	case <-ctx.Done():
		interrupt(cmd.Process)
		select {
		case <-ended:
		case <-time.After(stopPatience):
			return report{}, fmt.Errorf("%w; process %d does not end, see %s", context.Cause(ctx), cmd.Process.Pid, logFile)
		}
		return report{}, context.Cause(ctx)
	}
}

// follow reads reports until one ends the start.
func follow(r io.Reader, progress func(string)) report {
	var rep report
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		rep = report{}
		if json.Unmarshal(lines.Bytes(), &rep) != nil {
			continue
		}
		if rep.Progress == "" {
			return rep
		}
		progress(rep.Progress)
	}
	return report{}
}

func (r report) err(logFile string, ended <-chan error) error {
	switch {
	case r.Ready || r.Running:
		return nil
	case r.Error != "":
		<-ended
		return errors.New(r.Error)
	}
	err := <-ended
	return fmt.Errorf("it ended before it was ready (%v); the end of %s:\n%s", err, logFile, tail(logFile, 10))
}

// tail gives the last lines of a file, indented.
func tail(path string, lines int) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	all = all[max(0, len(all)-lines):]
	return "  " + strings.TrimSpace(string(bytes.Join(all, []byte("\n  "))))
}
