package shim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// external executes an OCI runtime (runc, runsc, …) by the command line that all of them share. What it leaves running
// becomes the shim's child, since the shim is a subreaper.
type external struct {
	path     string
	state    string
	sequence atomic.Int64 // tells apart the files of calls that go on at once
}

func (e *external) start(id, dir string, io streams) (task, error) {
	spec, err := loadSpec(dir)
	if err != nil {
		return nil, err
	}
	pidFile := filepath.Join(dir, "pid")
	args := []string{"create", "--bundle", dir, "--pid-file", pidFile}
	if io.console != nil {
		args = append(args, "--console-socket", io.console.path)
	}
	if err := e.run(io, append(args, id)...); err != nil {
		return nil, err
	}
	t := &externalTask{external: e, id: id, dir: dir, spec: spec}
	if t.externalProcess, err = readPid(pidFile); err == nil {
		err = e.run(streams{}, "start", id)
	}
	if err != nil {
		_ = t.destroy()
		return nil, err
	}
	return t, nil
}

// run executes the runtime; the container inherits its streams, so its own complaints go to a log file.
func (e *external) run(io streams, args ...string) error {
	log := filepath.Join(e.state, "log."+strconv.FormatInt(e.sequence.Add(1), 10))
	defer os.Remove(log)
	cmd := exec.Command(e.path, append([]string{"--root", e.state, "--log", log, "--log-format", "json"}, args...)...)
	if io.stdin != nil {
		cmd.Stdin = io.stdin
	}
	if io.stdout != nil {
		cmd.Stdout = io.stdout
	}
	if io.stderr != nil {
		cmd.Stderr = io.stderr
	}
	if err := cmd.Run(); err != nil {
		if text := lastError(log); text != "" {
			return errors.New(text)
		}
		return fmt.Errorf("%s %s: %w", e.path, args[0], err)
	}
	return nil
}

func lastError(log string) string {
	body, err := os.ReadFile(log)
	if err != nil {
		return ""
	}
	last := ""
	for line := range bytes.Lines(body) {
		var entry struct{ Level, Msg string }
		if json.Unmarshal(line, &entry) == nil && (entry.Level == "error" || entry.Level == "fatal") {
			last = entry.Msg
		}
	}
	return last
}

type externalTask struct {
	*external
	externalProcess
	id, dir string
	spec    *specs.Spec
}

func (t *externalTask) signal(s syscall.Signal, all bool) error {
	args := []string{"kill"}
	if all && filepath.Base(t.path) != "runsc" {
		args = append(args, "--all")
	}
	err := t.run(streams{}, append(args, t.id, strconv.Itoa(int(s)))...)
	if err != nil && (s == syscall.SIGKILL || strings.Contains(err.Error(), "unknown flag")) {
		return t.proc.Signal(s)
	}
	return err
}

func (t *externalTask) exec(args []string, io streams) (process, error) {
	n := t.sequence.Add(1)
	p := *t.spec.Process
	p.Args, p.Terminal = args, io.console != nil
	if io.console != nil && io.width > 0 {
		p.ConsoleSize = &specs.Box{Width: uint(io.width), Height: uint(io.height)}
	}
	processFile := filepath.Join(t.dir, fmt.Sprintf("exec.%d.json", n))
	pidFile := filepath.Join(t.dir, fmt.Sprintf("exec.%d.pid", n))
	defer os.Remove(processFile)
	defer os.Remove(pidFile)
	if err := wire.WriteFile(processFile, p, false); err != nil {
		return nil, err
	}
	call := []string{"exec", "--detach", "--process", processFile, "--pid-file", pidFile}
	if io.console != nil {
		call = append(call, "--console-socket", io.console.path)
	}
	if err := t.run(io, append(call, t.id)...); err != nil {
		return nil, err
	}
	return readPid(pidFile)
}

func (t *externalTask) sweep() {
	shared := true
	for _, ns := range t.spec.Linux.Namespaces {
		shared = shared && (ns.Type != specs.PIDNamespace || ns.Path != "")
	}
	if shared {
		_ = t.run(streams{}, "kill", "--all", t.id, strconv.Itoa(int(syscall.SIGKILL)))
	}
}

func (t *externalTask) oomKilled() bool {
	return t.spec.Linux != nil && oomKilled(&cgroups.Cgroup{Path: t.spec.Linux.CgroupsPath})
}

func (t *externalTask) destroy() error { return t.run(streams{}, "delete", "--force", t.id) }

type externalProcess struct{ proc *os.Process }

func readPid(path string) (externalProcess, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return externalProcess{}, fmt.Errorf("read pid file: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(body)))
	if err != nil {
		return externalProcess{}, fmt.Errorf("read pid file: %w", err)
	}
	proc, err := os.FindProcess(pid)
	return externalProcess{proc}, err
}

func (p externalProcess) pid() int    { return p.proc.Pid }
func (p externalProcess) kill() error { return p.proc.Kill() }

func (p externalProcess) wait() (syscall.WaitStatus, error) {
	state, err := p.proc.Wait()
	if err != nil {
		return 0, err
	}
	ws, _ := state.Sys().(syscall.WaitStatus)
	return ws, nil
}
