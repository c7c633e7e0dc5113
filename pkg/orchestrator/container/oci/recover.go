package oci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/cgroups"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// recover takes up what an earlier Runtime left: files say what there is, shims say what runs.
func (r *Runtime) recover(ctx context.Context) error {
	dir := filepath.Join(r.cfg.Dir, "sandboxes")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := r.recoverSandbox(ctx, filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("take up sandbox %s: %w", e.Name(), err)
		}
	}
	return nil
}

func (r *Runtime) recoverSandbox(ctx context.Context, dir string) error {
	var rec sandboxRecord
	err := wire.ReadFile(filepath.Join(dir, recordFile), &rec)
	if errors.Is(err, os.ErrNotExist) {
		return removeTree(dir) // not even begun, or all but gone
	}
	if err != nil {
		// A power failure may leave an empty file; nothing of such a pod runs any more.
		rec = sandboxRecord{Config: container.SandboxConfig{ID: filepath.Base(dir)}, Phase: phaseStarting}
	}
	s := &sandbox{dir: dir, config: rec.Config, phase: rec.Phase, ips: rec.IPs, created: rec.Created, pausePID: rec.PausePID,
		containers: map[string]*ctr{}}
	r.sandboxes[rec.Config.ID] = s
	if err := r.recoverContainers(ctx, s); err != nil {
		return err
	}
	switch rec.Phase {
	case phaseStarting:
		return r.discard(ctx, s)
	case phaseStopped:
		s.closing = true
		r.bury(s, "the container ended with its pod, and how was not recorded")
		return nil
	}
	if err := r.follow(s); err != nil {
		if !errors.Is(err, errNoShim) {
			return err
		}
		if err := r.markStarting(s); err != nil {
			return err
		}
		r.bury(s, "the container's shim was killed, and the container with it, while the node agent was away")
		s.broken = r.revive(s) != nil
	}
	return nil
}

// markStarting finds what a shim was just starting when it was killed: it has left a cgroup. Whether the program came to run nobody
// knows, so it counts as one that did.
func (r *Runtime) markStarting(s *sandbox) error {
	for id, c := range s.containers {
		if c.status.State != container.Created {
			continue
		}
		m, err := cgroupAt(r.containerCgroup(s.config, id), &cgroups.Resources{})
		if err != nil {
			return err
		}
		c.starting = m.Exists()
	}
	return nil
}

func (r *Runtime) recoverContainers(ctx context.Context, s *sandbox) error {
	dir := filepath.Join(s.dir, wire.Containers)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if e.Name() == pauseID {
			continue
		}
		c := &ctr{dir: filepath.Join(dir, e.Name()), done: make(chan struct{})}
		err := wire.ReadFile(filepath.Join(c.dir, containerFile), &c.status)
		if err != nil { // half made, or lost with the power
			c.status.ID = e.Name()
			if err := r.dispose(ctx, s, c); err != nil {
				return err
			}
			continue
		}
		var started wire.StartRecord
		if wire.ReadFile(filepath.Join(c.dir, wire.Started), &started) == nil {
			c.status.State, c.status.PID, c.status.Started = container.Running, started.PID, started.Started
		}
		r.containers[c.status.ID], s.containers[c.status.ID] = c, c
	}
	return nil
}
