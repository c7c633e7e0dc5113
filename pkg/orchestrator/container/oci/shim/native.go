package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/manager"
	"github.com/opencontainers/runc/libcontainer"
	"github.com/opencontainers/runc/libcontainer/configs"
	"github.com/opencontainers/runc/libcontainer/specconv"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// native runs containers by the libcontainer that is linked in.
type native struct{ state string }

func (n native) start(id, dir string, io streams) (task, error) {
	spec, err := loadSpec(dir)
	if err != nil {
		return nil, err
	}
	config, err := specconv.CreateLibcontainerConfig(&specconv.CreateOpts{CgroupName: id, Spec: spec})
	if err != nil {
		return nil, err
	}
	// The kernel ends the container with its shim; nobody would know its exit code otherwise.
	config.ParentDeathSignal = int(unix.SIGKILL)
	c, err := libcontainer.Create(n.state, id, config)
	if err != nil {
		return nil, err
	}
	p := newProcess(spec.Process, spec.Process.Args, io)
	p.Init = true
	if err := c.Run(p); err != nil {
		_ = c.Signal(unix.SIGKILL)
		_ = c.Destroy()
		return nil, err
	}
	return &nativeTask{nativeProcess: nativeProcess{p}, c: c, cgroup: config.Cgroups, spec: spec}, nil
}

type nativeTask struct {
	nativeProcess
	c      *libcontainer.Container
	cgroup *cgroups.Cgroup
	spec   *specs.Spec
}

func (t *nativeTask) signal(s syscall.Signal, all bool) error {
	if !all {
		return t.p.Signal(s)
	}
	if !t.c.Config().Namespaces.IsPrivate(configs.NEWPID) || s != unix.SIGKILL {
		pids, err := t.c.Processes()
		if err != nil {
			return err
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, s)
		}
	}
	err := t.c.Signal(s)
	if errors.Is(err, libcontainer.ErrNotRunning) {
		return nil
	}
	return err
}

func (t *nativeTask) exec(args []string, io streams) (process, error) {
	p := newProcess(t.spec.Process, args, io)
	if err := t.c.Run(p); err != nil {
		return nil, err
	}
	return nativeProcess{p}, nil
}

func (t *nativeTask) sweep() {
	if !t.c.Config().Namespaces.IsPrivate(configs.NEWPID) {
		_ = t.signal(unix.SIGKILL, true)
	}
}

func (t *nativeTask) oomKilled() bool { return oomKilled(t.cgroup) }

func (t *nativeTask) destroy() error { return t.c.Destroy() }

type nativeProcess struct{ p *libcontainer.Process }

func (p nativeProcess) pid() int {
	pid, err := p.p.Pid()
	if err != nil {
		return 0
	}
	return pid
}

func (p nativeProcess) kill() error { return p.p.Signal(unix.SIGKILL) }

func (p nativeProcess) wait() (syscall.WaitStatus, error) {
	state, err := p.p.Wait()
	if state == nil {
		return 0, err
	}
	ws, ok := state.Sys().(syscall.WaitStatus)
	if !ok {
		return 0, fmt.Errorf("wait: unknown state %T", state.Sys())
	}
	return ws, nil
}

func newProcess(spec *specs.Process, args []string, io streams) *libcontainer.Process {
	noNew := spec.NoNewPrivileges
	p := &libcontainer.Process{
		Args: args, Env: spec.Env, Cwd: spec.Cwd,
		UID: int(spec.User.UID), GID: int(spec.User.GID),
		NoNewPrivileges: &noNew, AppArmorProfile: spec.ApparmorProfile, Label: spec.SelinuxLabel,
	}
	for _, gid := range spec.User.AdditionalGids {
		p.AdditionalGroups = append(p.AdditionalGroups, int(gid))
	}
	if c := spec.Capabilities; c != nil {
		p.Capabilities = &configs.Capabilities{Bounding: c.Bounding, Effective: c.Effective,
			Inheritable: c.Inheritable, Permitted: c.Permitted, Ambient: c.Ambient}
	}
	if io.console != nil {
		p.ConsoleSocket = io.console.child
		p.ConsoleWidth, p.ConsoleHeight = io.width, io.height
		return p
	}
	// A typed nil in an interface is not nil.
	if io.stdin != nil {
		p.Stdin = io.stdin
	}
	if io.stdout != nil {
		p.Stdout = io.stdout
	}
	if io.stderr != nil {
		p.Stderr = io.stderr
	}
	return p
}

func loadSpec(dir string) (*specs.Spec, error) {
	body, err := os.ReadFile(filepath.Join(dir, wire.Bundle))
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	spec := new(specs.Spec)
	if err := json.Unmarshal(body, spec); err != nil {
		return nil, fmt.Errorf("decode bundle in %s: %w", dir, err)
	}
	return spec, nil
}

// oomKilled reads the count in the cgroup itself: on version 1 the parent's stays zero.
func oomKilled(c *cgroups.Cgroup) bool {
	m, err := manager.New(&cgroups.Cgroup{Path: c.Path, Name: c.Name, Parent: c.Parent, Resources: &cgroups.Resources{}})
	if err != nil {
		return false
	}
	n, err := m.OOMKillCount()
	return err == nil && n > 0
}
