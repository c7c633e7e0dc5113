package oci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// ctr is a container. op is held by whoever starts or removes it.
type ctr struct {
	op  sync.Mutex
	dir string

	status   container.Container
	starting bool
	done     chan struct{} // closed when it has ended
}

// begun says that the shim has recorded a start; the Runtime that asked for it may have died since.
func (c *ctr) begun() bool {
	_, err := os.Stat(filepath.Join(c.dir, wire.Started))
	return err == nil
}

const (
	containerFile = "container.json"
	rootDir       = "root" // where the images room mounts
)

// startTimeout bounds how long a shim may take to start a container.
const startTimeout = 2 * time.Minute

// exit takes an end over; the Runtime's lock is held.
func (c *ctr) exit(e wire.Exit) {
	c.status.State, c.status.PID = container.Exited, 0
	c.status.ExitCode, c.status.Signal, c.status.OOMKilled = e.ExitCode, e.Signal, e.OOMKilled
	c.status.Finished, c.status.Reason, c.status.Message = e.Finished, e.Reason, e.Message
	c.starting = false
	close(c.done)
}

// CreateContainer makes the root file system and the specification; nothing runs yet.
func (r *Runtime) CreateContainer(ctx context.Context, sandboxID string, c container.ContainerConfig) error {
	s, err := r.sandbox(sandboxID)
	if err != nil {
		return fmt.Errorf("create container: %w", err)
	}
	if c.ID == "" || filepath.Base(c.ID) != c.ID || c.ID == "." || c.ID == ".." || c.ID == pauseID {
		return fmt.Errorf("create container: invalid id %q", c.ID)
	}
	n := &ctr{dir: filepath.Join(s.dir, wire.Containers, c.ID), done: make(chan struct{}),
		status: container.Container{ID: c.ID, SandboxID: sandboxID, Config: c, State: container.Created, Created: time.Now()}}
	n.op.Lock()
	defer n.op.Unlock()
	r.mu.Lock()
	taken, ready := r.containers[c.ID] != nil, s.phase == phaseReady && !s.closing
	if !taken && ready {
		r.containers[c.ID], s.containers[c.ID] = n, n
	}
	r.mu.Unlock()
	if taken {
		return fmt.Errorf("create container %s: it exists already", c.ID)
	}
	if !ready {
		return fmt.Errorf("create container %s: sandbox %s is not ready", c.ID, sandboxID)
	}
	if err = r.prepare(ctx, s, n); err == nil {
		return nil
	}
	err = fmt.Errorf("create container %s: %w", c.Name, err)
	return errors.Join(err, r.dispose(context.WithoutCancel(ctx), s, n))
}

func (r *Runtime) prepare(ctx context.Context, s *sandbox, n *ctr) error {
	r.warmer.warm()
	c := n.status.Config
	image, ok, err := r.cfg.Images.Get(ctx, c.ImageID)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("image %s is not here", c.ImageID)
	}
	if err := os.MkdirAll(n.dir, 0o711); err != nil {
		return err
	}
	rootfs, err := r.cfg.Images.Mount(ctx, c.ImageID, filepath.Join(n.dir, rootDir))
	if err != nil {
		return err
	}
	user, err := resolveUser(c.Security, image.Config.User, rootfs)
	if err != nil {
		return err
	}
	mounts, err := specMounts(c, image.Config, n.dir, rootfs)
	if err != nil {
		return err
	}
	_, all := r.paths(s)
	in := specInput{sandbox: s.config, config: c, image: image.Config, rootfs: rootfs, user: user,
		mounts:     append(sandboxMounts(s, c), mounts...),
		namespaces: namespaces(s.config, all, s.pausePID), cgroup: r.containerCgroup(s.config, c.ID),
		own: r.own, oomFloor: r.oomFloor}
	if c.Security.Privileged {
		in.devices = hostDevices("/dev")
	}
	spec, err := newSpec(in)
	if err != nil {
		return err
	}
	if len(spec.Process.Args) == 0 {
		return errors.New("no command specified")
	}
	if err := wire.WriteFile(filepath.Join(n.dir, wire.Bundle), spec, false); err != nil {
		return err
	}
	// Written last: a directory without it is swept away when it is found.
	return wire.WriteFile(filepath.Join(n.dir, containerFile), n.status, false)
}

// sandboxMounts are what a sandbox's containers share, unless the container mounts something of its own there.
func sandboxMounts(s *sandbox, c container.ContainerConfig) []specs.Mount {
	own := func(target string) bool {
		return slices.ContainsFunc(c.Mounts, func(m container.Mount) bool { return path.Clean(m.Target) == target })
	}
	var out []specs.Mount
	if !own("/dev/shm") {
		source := filepath.Join(s.dir, shmDir)
		if s.config.HostIPC {
			source = "/dev/shm"
		}
		shm := bind(source, "/dev/shm", false, "rprivate")
		// Said again: a bind mount that is made writable loses what its source was mounted with.
		shm.Options = append(shm.Options, "nosuid", "noexec", "nodev")
		out = append(out, shm)
	}
	if !own("/etc/hostname") && s.config.Hostname != "" {
		out = append(out, bind(filepath.Join(s.dir, "hostname"), "/etc/hostname", c.Security.ReadOnlyRoot, "rprivate"))
	}
	return out
}

// StartContainer runs a container that was created.
func (r *Runtime) StartContainer(ctx context.Context, id string) error {
	c, err := r.container(id)
	if err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	c.op.Lock()
	defer c.op.Unlock()
	r.mu.Lock()
	s, state := r.sandboxes[c.status.SandboxID], c.status.State
	if c.starting = state == container.Created; c.starting {
		c.status.Started = time.Now()
	}
	r.mu.Unlock()
	switch {
	case state == container.Running:
		return nil
	case state == container.Exited || s == nil:
		return fmt.Errorf("start container %s: it has ended already", id)
	}
	return r.launch(ctx, s, c)
}

func (r *Runtime) launch(ctx context.Context, s *sandbox, c *ctr) error {
	cfg := c.status.Config
	q := wire.Request{Op: wire.OpStart, ID: cfg.ID, Start: &wire.Start{TTY: cfg.TTY, Stdin: cfg.Stdin, StdinOnce: cfg.StdinOnce,
		LogPath: cfg.LogPath, LogMaxSize: cfg.LogMaxSize, LogMaxFiles: cfg.LogMaxFiles, Runtime: r.cfg.OCIRuntime}}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	defer cancel()
	var reply wire.Reply
	var err error
	if cfg.LogPath != "" {
		err = os.MkdirAll(filepath.Dir(cfg.LogPath), 0o755)
	}
	if err == nil {
		reply, err = simple(ctx, s.dir, q)
	}
	if err != nil {
		return r.startFailed(s, c, err)
	}
	r.mu.Lock()
	c.starting = false
	began := c.status.State == container.Created // its end may have been told already
	if began {
		c.status.State, c.status.PID = container.Running, reply.PID
	}
	r.mu.Unlock()
	if began {
		r.hub.publish(container.Event{SandboxID: s.config.ID, ContainerID: cfg.ID, State: container.Running})
	}
	return nil
}

// startFailed records a start that came to nothing, in the way the container runtime interface does.
func (r *Runtime) startFailed(s *sandbox, c *ctr, err error) error {
	select {
	case <-c.done: // its end has been recorded: the shim died meanwhile
		return err
	default:
	}
	e := wire.Exit{ExitCode: 128, Finished: time.Now(), Reason: "StartError"}
	if errors.Is(err, errNoShim) {
		if kerr := killCgroup(r.containerCgroup(s.config, c.status.ID)); kerr != nil {
			err = errors.Join(err, kerr)
		}
		e.ExitCode, e.Signal, e.Reason = 137, int(unix.SIGKILL), reasonShimDied
	}
	err = fmt.Errorf("failed to create task: OCI runtime create failed: %w", err)
	e.Message = err.Error()
	if werr := wire.WriteFile(filepath.Join(c.dir, wire.Exited), e, true); werr != nil {
		e.Message = fmt.Sprintf("%s; %v", e.Message, werr)
	}
	r.ended(s, c.status.ID, e)
	return err
}

// StopContainer asks a container to end and makes it after grace.
func (r *Runtime) StopContainer(ctx context.Context, id, signal string, grace time.Duration) error {
	c, err := r.container(id)
	if err != nil {
		return nil
	}
	r.mu.Lock()
	state, s := c.status.State, r.sandboxes[c.status.SandboxID]
	if signal == "" {
		signal = c.status.Config.StopSignal
	}
	r.mu.Unlock()
	if state == container.Created {
		c.op.Lock() // a start that goes on is let finish
		r.mu.Lock()
		state = c.status.State
		r.mu.Unlock()
		c.op.Unlock()
	}
	if state != container.Running || s == nil {
		return nil
	}
	if grace > 0 {
		n, err := parseSignal(signal)
		if err != nil {
			return fmt.Errorf("stop container %s: %w", id, err)
		}
		if err := r.signal(ctx, s, c, n, false); err != nil {
			return fmt.Errorf("stop container %s: %w", id, err)
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-c.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
	if err := r.signal(ctx, s, c, unix.SIGKILL, true); err != nil {
		return fmt.Errorf("kill container %s: %w", id, err)
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// signal reaches a container by its shim. A shim that is gone has taken the container with it.
func (r *Runtime) signal(ctx context.Context, s *sandbox, c *ctr, n unix.Signal, all bool) error {
	_, err := simple(ctx, s.dir, wire.Request{Op: wire.OpSignal, ID: c.status.ID, Signal: int(n), All: all})
	select {
	case <-c.done:
		return nil
	default:
	}
	if errors.Is(err, errNoShim) {
		return nil
	}
	return err
}

func parseSignal(name string) (unix.Signal, error) {
	if name == "" {
		return unix.SIGTERM, nil
	}
	if n, err := strconv.Atoi(name); err == nil && n > 0 && n < 65 {
		return unix.Signal(n), nil
	}
	full := strings.ToUpper(name)
	if !strings.HasPrefix(full, "SIG") {
		full = "SIG" + full
	}
	if n := unix.SignalNum(full); n != 0 {
		return n, nil
	}
	if offset, ok := strings.CutPrefix(full, "SIGRTMIN"); ok {
		if n, err := strconv.Atoi("0" + strings.TrimPrefix(offset, "+")); err == nil && n <= 30 {
			return unix.Signal(34 + n), nil
		}
	}
	return 0, fmt.Errorf("unknown signal %q", name)
}

// RemoveContainer kills a container if need be and removes its files.
func (r *Runtime) RemoveContainer(ctx context.Context, id string) error {
	c, err := r.container(id)
	if err != nil {
		return nil
	}
	if err := r.StopContainer(ctx, id, "", 0); err != nil {
		return err
	}
	return r.removeContainer(ctx, c)
}

func (r *Runtime) removeContainer(ctx context.Context, c *ctr) error {
	c.op.Lock()
	defer c.op.Unlock()
	r.mu.Lock()
	s := r.sandboxes[c.status.SandboxID]
	r.mu.Unlock()
	if err := r.dispose(ctx, s, c); err != nil {
		return fmt.Errorf("remove container %s: %w", c.status.ID, err)
	}
	return nil
}

// dispose takes away what a container has on disk and in the kernel, and then its entry.
func (r *Runtime) dispose(ctx context.Context, s *sandbox, c *ctr) error {
	id := c.status.ID
	if s != nil {
		r.mu.Lock()
		closing := s.closing
		r.mu.Unlock()
		if !closing {
			_, _ = simple(ctx, s.dir, wire.Request{Op: wire.OpForget, ID: id})
		}
		cgroup := r.containerCgroup(s.config, id)
		if err := killCgroup(cgroup); err != nil {
			return err
		}
		if err := removeCgroup(cgroup); err != nil {
			return err
		}
	}
	if err := r.cfg.Images.Unmount(ctx, filepath.Join(c.dir, rootDir)); err != nil {
		return err
	}
	if err := strike(c.dir, containerFile); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.containers, id)
	if s != nil {
		delete(s.containers, id)
	}
	return nil
}

// ContainerStatus gives a container as it is.
func (r *Runtime) ContainerStatus(_ context.Context, id string) (container.Container, error) {
	c, err := r.container(id)
	if err != nil {
		return container.Container{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return c.status, nil
}

// ReopenLog makes the shim open the log file anew.
func (r *Runtime) ReopenLog(ctx context.Context, id string) error {
	_, s, err := r.running(id)
	if err == nil {
		_, err = simple(ctx, s.dir, wire.Request{Op: wire.OpReopen, ID: id})
	}
	if err != nil {
		return fmt.Errorf("reopen log: %w", err)
	}
	return nil
}

// running finds a container that runs, and its sandbox.
func (r *Runtime) running(id string) (*ctr, *sandbox, error) {
	c, err := r.container(id)
	if err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sandboxes[c.status.SandboxID]
	if c.status.State != container.Running || s == nil {
		return nil, nil, fmt.Errorf("container %s is not running", id)
	}
	return c, s, nil
}
