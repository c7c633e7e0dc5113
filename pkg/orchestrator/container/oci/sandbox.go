package oci

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

type phase string

const (
	phaseStarting phase = "starting"
	phaseReady    phase = "ready"
	phaseStopped  phase = "stopped"
)

// sandbox is a pod's surroundings. op is held by whoever starts, stops or removes it.
type sandbox struct {
	op  sync.Mutex
	dir string

	config   container.SandboxConfig
	phase    phase
	broken   bool // its namespaces or its shim are gone
	closing  bool // it is being torn down: a shim that dies is not replaced
	ips      []string
	created  time.Time
	pausePID int

	containers map[string]*ctr
	watch      context.CancelFunc // stops the reader of the shim's events
	watching   chan struct{}      // closed when it has stopped
}

// sandboxRecord is a sandbox on disk.
type sandboxRecord struct {
	Config   container.SandboxConfig `json:"config"`
	Phase    phase                   `json:"phase"`
	IPs      []string                `json:"ips,omitempty"`
	Created  time.Time               `json:"created"`
	PausePID int                     `json:"pausePID,omitempty"`
}

const (
	recordFile = "sandbox.json"
	shmDir     = "shm"
	pauseID    = "pause"
)

func (s *sandbox) snapshot() container.Sandbox {
	out := container.Sandbox{ID: s.config.ID, Config: s.config, Ready: s.phase == phaseReady && !s.broken,
		IPs: slices.Clone(s.ips), Created: s.created}
	for _, c := range s.containers {
		out.Containers = append(out.Containers, c.status)
	}
	slices.SortFunc(out.Containers, func(a, b container.Container) int { return a.Created.Compare(b.Created) })
	return out
}

func (s *sandbox) save(durable bool) error {
	return wire.WriteFile(filepath.Join(s.dir, recordFile), sandboxRecord{Config: s.config, Phase: s.phase, IPs: s.ips,
		Created: s.created, PausePID: s.pausePID}, durable)
}

// paths gives where the namespaces are pinned.
func (r *Runtime) paths(s *sandbox) (own, all nsPaths) {
	in := func(name string) string { return filepath.Join(s.dir, "ns", name) }
	own.uts = in("uts")
	if !s.config.HostIPC {
		own.ipc = in("ipc")
	}
	all = own
	if s.config.HostNetwork {
		if r.cfg.Network != nil {
			all.net = r.cfg.Network.NodeNamespace()
		}
		return own, all
	}
	own.net = in("net")
	all.net = own.net
	return own, all
}

// StartSandbox makes a sandbox, or gives the one that is there.
func (r *Runtime) StartSandbox(ctx context.Context, c container.SandboxConfig) (container.Sandbox, error) {
	if c.ID == "" || filepath.Base(c.ID) != c.ID || c.ID == "." || c.ID == ".." {
		return container.Sandbox{}, fmt.Errorf("start sandbox: invalid id %q", c.ID)
	}
	s := r.claim(c)
	defer s.op.Unlock()
	if s.phase == phaseStarting {
		if err := r.makeSandbox(ctx, s); err != nil {
			err = fmt.Errorf("start sandbox %s: %w", c.ID, err)
			if cerr := r.discard(context.WithoutCancel(ctx), s); cerr != nil {
				err = errors.Join(err, cerr)
			}
			return container.Sandbox{}, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return s.snapshot(), nil
}

// claim gives the sandbox of a configuration, locked; it is made if there is none, or if it was removed meanwhile.
func (r *Runtime) claim(c container.SandboxConfig) *sandbox {
	for {
		r.mu.Lock()
		s := r.sandboxes[c.ID]
		if s == nil {
			s = &sandbox{dir: filepath.Join(r.cfg.Dir, "sandboxes", c.ID), config: c, phase: phaseStarting,
				created: time.Now(), containers: map[string]*ctr{}}
			r.sandboxes[c.ID] = s
		}
		r.mu.Unlock()
		s.op.Lock()
		r.mu.Lock()
		current := r.sandboxes[c.ID] == s
		r.mu.Unlock()
		if current {
			return s
		}
		s.op.Unlock()
	}
}

// makeSandbox does what takes time side by side: the shim starts while the network is being attached.
func (r *Runtime) makeSandbox(ctx context.Context, s *sandbox) error {
	c := s.config
	if err := os.MkdirAll(filepath.Join(s.dir, "ns"), 0o700); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(s.dir, wire.Containers), 0o711); err != nil {
		return err
	}
	if err := s.save(false); err != nil {
		return err
	}
	own, _ := r.paths(s)
	sysctls := map[string]string{}
	if own.net != "" {
		// containerd's defaults: ports below 1024 and ping need no capability.
		sysctls["net.ipv4.ip_unprivileged_port_start"] = "0"
		sysctls["net.ipv4.ping_group_range"] = "0 2147483647"
	}
	maps.Copy(sysctls, c.Sysctls)
	if err := pin(pinning{paths: own, hostname: c.Hostname, sysctls: sysctls}); err != nil {
		return err
	}
	attached := make(chan error, 1)
	go func() { attached <- r.attachNetwork(ctx, s, own.net) }()
	err := r.prepareSandbox(s)
	if aerr := <-attached; err == nil {
		err = aerr
	}
	if err != nil {
		return err
	}
	if c.SharePID && !c.HostPID {
		if err := r.startPause(ctx, s); err != nil {
			return err
		}
	}
	r.mu.Lock()
	s.phase = phaseReady
	r.mu.Unlock()
	if err := s.save(true); err != nil {
		return err
	}
	return r.follow(s)
}

func (r *Runtime) attachNetwork(ctx context.Context, s *sandbox, netns string) error {
	if netns == "" || r.cfg.Network == nil {
		return nil
	}
	ips, err := r.cfg.Network.Attach(ctx, s.config.ID, netns, s.config.Ports)
	if err != nil {
		return fmt.Errorf("attach network: %w", err)
	}
	r.mu.Lock()
	s.ips = ips
	r.mu.Unlock()
	return nil
}

func (r *Runtime) prepareSandbox(s *sandbox) error {
	if err := spawnShim(r.cfg.Shim, s.dir); err != nil {
		return err
	}
	if err := makeCgroup(r.podCgroup(s.config), s.config.Resources); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "hostname"), []byte(s.config.Hostname+"\n"), 0o644); err != nil {
		return err
	}
	if s.config.HostIPC {
		return nil
	}
	shm := filepath.Join(s.dir, shmDir)
	if err := os.MkdirAll(shm, 0o711); err != nil {
		return err
	}
	if err := unix.Mount("shm", shm, "tmpfs", unix.MS_NOEXEC|unix.MS_NOSUID|unix.MS_NODEV, "mode=1777,size=65536k"); err != nil {
		return fmt.Errorf("mount shared memory: %w", err)
	}
	return nil
}

// StopSandbox ends all that runs in a sandbox and gives its network back.
func (r *Runtime) StopSandbox(ctx context.Context, id string) error {
	s, err := r.sandbox(id)
	if err != nil {
		return nil
	}
	s.op.Lock()
	defer s.op.Unlock()
	return r.stop(ctx, s)
}

func (r *Runtime) stop(ctx context.Context, s *sandbox) error {
	r.mu.Lock()
	done := s.phase == phaseStopped
	r.mu.Unlock()
	if done {
		return nil
	}
	if err := r.teardown(ctx, s); err != nil {
		return fmt.Errorf("stop sandbox %s: %w", s.config.ID, err)
	}
	r.mu.Lock()
	s.phase = phaseStopped
	r.mu.Unlock()
	return s.save(false)
}

// teardown takes away everything of a sandbox but its records. It may be repeated.
func (r *Runtime) teardown(ctx context.Context, s *sandbox) error {
	shut := r.endShim(ctx, s)
	pod := r.podCgroup(s.config)
	if err := killCgroup(pod); err != nil {
		return err
	}
	r.buryAll(s, shut)
	if err := removeCgroup(pod); err != nil {
		return err
	}
	if r.cfg.Network != nil && !s.config.HostNetwork {
		if err := r.cfg.Network.Detach(ctx, s.config.ID); err != nil {
			return fmt.Errorf("detach network: %w", err)
		}
	}
	own, _ := r.paths(s)
	for _, p := range []string{own.net, own.ipc, own.uts} {
		if p == "" || !pinned(p) {
			continue
		}
		if err := unix.Unmount(p, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("let go of namespace %s: %w", p, err)
		}
	}
	shm := filepath.Join(s.dir, shmDir)
	if err := unmountAll(shm); err != nil {
		return err
	}
	return nil
}

// RemoveSandbox removes a sandbox, its containers and their files.
func (r *Runtime) RemoveSandbox(ctx context.Context, id string) error {
	s, err := r.sandbox(id)
	if err != nil {
		return nil
	}
	s.op.Lock()
	defer s.op.Unlock()
	if err := r.stop(ctx, s); err != nil {
		return err
	}
	return r.forget(ctx, s)
}

// discard is for a sandbox that could not be made.
func (r *Runtime) discard(ctx context.Context, s *sandbox) error {
	if err := r.teardown(ctx, s); err != nil {
		return fmt.Errorf("clean up sandbox %s: %w", s.config.ID, err)
	}
	return r.forget(ctx, s)
}

func (r *Runtime) forget(ctx context.Context, s *sandbox) error {
	r.mu.Lock()
	all := slices.Collect(maps.Values(s.containers))
	r.mu.Unlock()
	for _, c := range all {
		if err := r.removeContainer(ctx, c); err != nil {
			return err
		}
	}
	if err := strike(s.dir, recordFile); err != nil {
		return fmt.Errorf("remove sandbox %s: %w", s.config.ID, err)
	}
	r.mu.Lock()
	delete(r.sandboxes, s.config.ID)
	r.mu.Unlock()
	return nil
}
