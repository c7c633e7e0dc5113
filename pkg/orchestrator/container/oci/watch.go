package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// reasonShimDied is for containers whose shim was killed, and they with it.
const reasonShimDied = "ShimDied"

// follow reads the shim's events from now on. What ended before is read from the exit files once the shim has answered.
func (r *Runtime) follow(s *sandbox) error {
	ctx, cancel := context.WithCancel(context.Background())
	c, err := request(ctx, s.dir, wire.Request{Op: wire.OpEvents})
	if err != nil {
		cancel()
		return err
	}
	done := make(chan struct{})
	r.mu.Lock()
	s.watch, s.watching = cancel, done
	r.mu.Unlock()
	r.readExits(s)
	go func() {
		defer close(done)
		defer c.close()
		stop := context.AfterFunc(ctx, func() { c.conn.Close() })
		defer stop()
		for {
			var e wire.Event
			if _, err := wire.Receive(c.conn, &e); err != nil {
				break
			}
			r.ended(s, e.ID, e.Exit)
		}
		if ctx.Err() == nil {
			r.shimDied(s)
		}
	}()
	return nil
}

// Close lets go of the shims and leaves everything running, for the next Runtime over the directory.
func (r *Runtime) Close() error {
	r.mu.Lock()
	var waits []chan struct{}
	for _, s := range r.sandboxes {
		s.closing = true
		if s.watch != nil {
			s.watch()
			waits = append(waits, s.watching)
			s.watch, s.watching = nil, nil
		}
	}
	r.mu.Unlock()
	for _, done := range waits {
		<-done
	}
	return nil
}

// endShim has the shim kill its containers, record their ends, and go; it tells whether the shim did. A shim that was
// being replaced at this very moment is ended too.
func (r *Runtime) endShim(ctx context.Context, s *sandbox) (obeyed bool) {
	r.mu.Lock()
	s.closing = true
	r.mu.Unlock()
	for {
		obeyed = s.shutShim(ctx)
		r.mu.Lock()
		cancel, done := s.watch, s.watching
		s.watch, s.watching = nil, nil
		r.mu.Unlock()
		if cancel == nil {
			return obeyed
		}
		cancel()
		<-done
	}
}

// ended takes note of an end that is on disk.
func (r *Runtime) ended(s *sandbox, id string, e wire.Exit) {
	r.mu.Lock()
	if id == pauseID {
		s.broken = true
		r.mu.Unlock()
		return
	}
	c := s.containers[id]
	if c == nil || c.status.State == container.Exited {
		r.mu.Unlock()
		return
	}
	c.exit(e)
	r.mu.Unlock()
	r.hub.publish(container.Event{SandboxID: s.config.ID, ContainerID: id, State: container.Exited})
}

// readExits looks for ends that nobody told of.
func (r *Runtime) readExits(s *sandbox) {
	r.mu.Lock()
	ids := []string{}
	for id, c := range s.containers {
		if c.status.State != container.Exited {
			ids = append(ids, id)
		}
	}
	r.mu.Unlock()
	for _, id := range ids {
		var e wire.Exit
		if err := wire.ReadFile(filepath.Join(s.dir, wire.Containers, id, wire.Exited), &e); err == nil {
			r.ended(s, id, e)
		}
	}
}

// shimDied is called when a shim went without being asked to. Its containers go with it, and a new shim takes its place.
func (r *Runtime) shimDied(s *sandbox) {
	r.bury(s, "the container's shim was killed, and the container with it")
	if err := r.revive(s); err != nil {
		r.mu.Lock()
		s.broken = true
		r.mu.Unlock()
	}
}

// bury kills what a dead shim left, so that nothing runs that nobody watches, and records each end.
func (r *Runtime) bury(s *sandbox, message string) {
	r.readExits(s)
	r.mu.Lock()
	var orphans []*ctr
	for _, c := range s.containers {
		if c.status.State == container.Running || c.starting || c.status.State == container.Created && c.begun() {
			orphans = append(orphans, c)
		}
	}
	r.mu.Unlock()
	for _, c := range orphans {
		cgroup := r.containerCgroup(s.config, c.status.ID)
		if err := killCgroup(cgroup); err != nil {
			message = fmt.Sprintf("%s; %v", message, err)
		}
		_ = removeCgroup(cgroup)
		e := wire.Exit{ExitCode: 137, Signal: 9, Finished: time.Now(), Reason: reasonShimDied, Message: message}
		path := filepath.Join(c.dir, wire.Exited)
		if rerr := wire.ReadFile(path, &e); rerr != nil { // the shim's own word counts, if it had one
			if err := wire.WriteFile(path, e, true); err != nil {
				e.Message = fmt.Sprintf("%s; %v", e.Message, err)
			}
		}
		r.ended(s, c.status.ID, e)
	}
}

// buryAll is bury after a stop: the shim, if it obeyed, has recorded the ends itself.
func (r *Runtime) buryAll(s *sandbox, obeyed bool) {
	r.readExits(s)
	if !obeyed {
		r.bury(s, "the container's shim was gone when the pod was stopped")
		return
	}
	r.bury(s, "the container was killed with its pod")
}

// revive starts a new shim in the namespaces of the old one; a shared pid namespace went with it and cannot be mended.
func (r *Runtime) revive(s *sandbox) error {
	r.mu.Lock()
	closing := s.closing
	r.mu.Unlock()
	if closing {
		return errors.New("the sandbox is being stopped")
	}
	if s.config.SharePID && !s.config.HostPID {
		return errors.New("the shared pid namespace is gone")
	}
	own, _ := r.paths(s)
	for _, p := range []string{own.net, own.ipc, own.uts} {
		if !pinned(p) {
			return errors.New("the namespaces are gone")
		}
	}
	if err := os.RemoveAll(filepath.Join(s.dir, wire.StateDir)); err != nil {
		return err
	}
	if err := spawnShim(r.cfg.Shim, s.dir); err != nil {
		return err
	}
	return r.follow(s)
}

// shutShim tells the shim to end everything and go; it tells whether it did. One that does not answer is killed.
func (s *sandbox) shutShim(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	_, err := simple(ctx, s.dir, wire.Request{Op: wire.OpShutdown})
	if errors.Is(err, io.EOF) {
		return true
	}
	if ctx.Err() != nil {
		killShim(s.dir)
	}
	return false
}
