// Package oci runs real containers: a shim process for each sandbox, namespaces pinned on files, overlay root file
// systems from the image room, OCI specifications with containerd's isolation. All that must outlive this process lies
// in files and shims, so a new Runtime over the same directory takes everything up where it is. It knows no API objects
// and decides nothing about what should run.
package oci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

const version = "skiff-oci://0.1.0"

// Config is what a Runtime needs.
type Config struct {
	Dir        string // state; one Runtime at a time
	Shim       string // path of the program skiff-shim
	Images     container.Images
	Network    container.Network // nil: pods have a loopback and nothing else
	CgroupRoot string            // the node's cgroup, "/skiff/CLUSTER/NODE"
	OCIRuntime string            // a program to execute instead of the linked libcontainer (runc, runsc)
}

// Runtime implements container.Runtime.
type Runtime struct {
	cfg      Config
	own      uint64
	oomFloor int
	warmer   warmer

	// mu guards the maps and every field of sandboxes and containers that changes. It is never held over I/O.
	mu         sync.Mutex
	sandboxes  map[string]*sandbox
	containers map[string]*ctr
	hub        hub
}

var _ container.Runtime = (*Runtime)(nil)

// New opens the directory: it finds the sandboxes and containers of a Runtime before it, records what ended meanwhile,
// and sweeps away what was half made.
func New(cfg Config) (*Runtime, error) {
	if err := Check(); err != nil {
		return nil, err
	}
	if cfg.Images == nil {
		return nil, errors.New("open oci runtime: no images")
	}
	var err error
	if cfg.Shim, err = filepath.Abs(cfg.Shim); err == nil {
		_, err = os.Stat(cfg.Shim)
	}
	if err != nil {
		return nil, fmt.Errorf("open oci runtime: find the shim: %w", err)
	}
	if cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, fmt.Errorf("open oci runtime: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, "sandboxes"), 0o700); err != nil {
		return nil, fmt.Errorf("open oci runtime: %w", err)
	}
	own := ownCapabilities()
	r := &Runtime{cfg: cfg, own: own, oomFloor: oomFloor(own), warmer: newWarmer(), sandboxes: map[string]*sandbox{}, containers: map[string]*ctr{}}
	if err := r.recover(context.Background()); err != nil {
		return nil, fmt.Errorf("open oci runtime: %w", err)
	}
	return r, nil
}

// Version is the runtime's name and version.
func (r *Runtime) Version() string { return version }

// Sandboxes gives all sandboxes with their containers.
func (r *Runtime) Sandboxes(context.Context) ([]container.Sandbox, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]container.Sandbox, 0, len(r.sandboxes))
	for _, s := range r.sandboxes {
		if s.phase == phaseReady || s.phase == phaseStopped {
			out = append(out, s.snapshot())
		}
	}
	return out, nil
}

func (r *Runtime) sandbox(id string) (*sandbox, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sandboxes[id]
	if s == nil {
		return nil, fmt.Errorf("sandbox %q: %w", id, ErrNotFound)
	}
	return s, nil
}

func (r *Runtime) container(id string) (*ctr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	if c == nil {
		return nil, fmt.Errorf("container %q: %w", id, ErrNotFound)
	}
	return c, nil
}

// ErrNotFound is for sandboxes and containers that are not there.
var ErrNotFound = errors.New("not found")
