// Package hollow is a container runtime that pretends: sandboxes and containers live in memory, have addresses, start,
// run until they are stopped and end as a script says. It is for tests and for clusters of many nodes on one machine; it
// starts no process, opens no socket and writes no file but the log lines that a script names.
package hollow

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// Version is the runtime's version.
const Version = "0.1.0"

// Config is what a hollow runtime is made with.
type Config struct {
	// PodRange is where sandboxes get their addresses; the zero value means 10.244.0.0/24.
	PodRange netip.Prefix
	// Behave says what a container does; nil means that all run until they are stopped.
	Behave func(container.ContainerConfig) Behaviour
	// Pull says what a registry answers for a reference; nil means that every image exists and arrives at once.
	Pull func(ref string) (took time.Duration, size int64, err error)
	// NoCache makes images unknown until they are pulled; otherwise every image counts as present.
	NoCache bool
}

// Behaviour scripts one container. The zero value runs until it is stopped, and ends with 143 on SIGTERM.
type Behaviour struct {
	// CreateError and StartError fail that operation.
	CreateError, StartError error
	// Ends says that it ends by itself after After with Code.
	Ends  bool
	After time.Duration
	Code  int
	// OOM marks that end as an out-of-memory kill.
	OOM bool
	// Message is written as its termination message.
	Message string
	// StopTakes is how long it takes to end after SIGTERM; beyond the grace period it is killed (137).
	StopTakes time.Duration
	// StopCode is its exit code after SIGTERM; 143 if zero and not StopsClean.
	StopCode   int
	StopsClean bool
	// Handler answers HTTP on every port of the container; nil refuses connections.
	Handler http.Handler
	// Exec runs commands in it; nil: all commands succeed in silence.
	Exec func(ctx context.Context, e container.ExecConfig) (int, error)
	// Sockets are what the container has; nil: nobody can tell.
	Sockets func() []container.Socket
	// Log is written to the container's log at its start, one line each.
	Log []string
}

// Runtime implements container.Runtime in memory.
type Runtime struct {
	config Config
	images *Images

	mu          sync.Mutex
	sandboxes   map[string]*sandbox
	containers  map[string]*item
	used        map[netip.Addr]string // address to sandbox
	next        netip.Addr
	subscribers map[*subscriber]struct{}
}

type sandbox struct {
	container.Sandbox
	containers []*item
}

type item struct {
	container.Container
	does  Behaviour
	timer *time.Timer
	done  chan struct{} // made by the first that waits
}

// New makes a runtime without containers.
func New(c Config) *Runtime {
	if !c.PodRange.IsValid() {
		c.PodRange = netip.MustParsePrefix("10.244.0.0/24")
	}
	r := &Runtime{
		config:      c,
		sandboxes:   map[string]*sandbox{},
		containers:  map[string]*item{},
		used:        map[netip.Addr]string{},
		subscribers: map[*subscriber]struct{}{},
	}
	r.images = &Images{config: c, present: map[string]container.Image{}}
	return r
}

// Images gives the image store that goes with the runtime.
func (r *Runtime) Images() container.Images { return r.images }

// Version implements container.Runtime.
func (r *Runtime) Version() string { return "hollow://" + Version }

// Sandboxes implements container.Runtime.
func (r *Runtime) Sandboxes(context.Context) ([]container.Sandbox, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]container.Sandbox, 0, len(r.sandboxes))
	for _, s := range r.sandboxes {
		out = append(out, s.view())
	}
	return out, nil
}

func (s *sandbox) view() container.Sandbox {
	v := s.Sandbox
	v.Containers = make([]container.Container, 0, len(s.containers))
	for _, c := range s.containers {
		v.Containers = append(v.Containers, c.Container)
	}
	return v
}

// StartSandbox implements container.Runtime.
func (r *Runtime) StartSandbox(_ context.Context, c container.SandboxConfig) (container.Sandbox, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.sandboxes[c.ID]; ok {
		return s.view(), nil
	}
	s := &sandbox{Sandbox: container.Sandbox{ID: c.ID, Config: c, Ready: true, Created: time.Now()}}
	if !c.HostNetwork {
		ip, err := r.takeIP(c.ID)
		if err != nil {
			return container.Sandbox{}, err
		}
		s.IPs = []string{ip.String()}
	}
	r.sandboxes[c.ID] = s
	return s.view(), nil
}

// takeIP gives the next free address; the first two of the range are the network's and the node's own.
func (r *Runtime) takeIP(id string) (netip.Addr, error) {
	first := r.config.PodRange.Masked().Addr().Next().Next()
	if !r.next.IsValid() || !r.config.PodRange.Contains(r.next) {
		r.next = first
	}
	for start, wrapped := r.next, false; ; {
		ip := r.next
		r.next = ip.Next()
		if !r.config.PodRange.Contains(r.next) {
			r.next, wrapped = first, true
		}
		if _, taken := r.used[ip]; !taken {
			r.used[ip] = id
			return ip, nil
		}
		if wrapped && r.next.Compare(start) >= 0 {
			return netip.Addr{}, fmt.Errorf("no address is left in the pod range %s", r.config.PodRange)
		}
	}
}

// StopSandbox implements container.Runtime.
func (r *Runtime) StopSandbox(_ context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.sandboxes[id]
	if !ok {
		return nil
	}
	for _, c := range s.containers {
		r.end(c, 137, 9, "", "")
	}
	r.release(s)
	return nil
}

func (r *Runtime) release(s *sandbox) {
	s.Ready = false
	for _, ip := range s.IPs {
		if a := netip.MustParseAddr(ip); r.used[a] == s.ID {
			delete(r.used, a)
		}
	}
}

// RemoveSandbox implements container.Runtime.
func (r *Runtime) RemoveSandbox(ctx context.Context, id string) error {
	if err := r.StopSandbox(ctx, id); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.sandboxes[id]; ok {
		for _, c := range s.containers {
			delete(r.containers, c.ID)
		}
		delete(r.sandboxes, id)
	}
	return nil
}

// KillShim pretends that the process beside a sandbox was killed, and its containers with it.
func (r *Runtime) KillShim(sandboxID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.sandboxes[sandboxID]; ok {
		for _, c := range s.containers {
			r.end(c, 0, 0, "ShimDied", "the shim of the container was killed")
		}
		r.release(s)
	}
}
