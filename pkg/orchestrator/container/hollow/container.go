package hollow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

var errNoContainer = errors.New("no such container")

// CreateContainer implements container.Runtime.
func (r *Runtime) CreateContainer(_ context.Context, sandboxID string, c container.ContainerConfig) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.sandboxes[sandboxID]
	if !ok || !s.Ready {
		return fmt.Errorf("create container %s: no such sandbox: %s", c.Name, sandboxID)
	}
	if _, ok := r.containers[c.ID]; ok {
		return fmt.Errorf("create container %s: it exists", c.Name)
	}
	it := &item{Container: container.Container{ID: c.ID, SandboxID: sandboxID, Config: c, State: container.Created, Created: time.Now()}}
	if r.config.Behave != nil {
		it.does = r.config.Behave(c)
	}
	if it.does.CreateError != nil {
		return it.does.CreateError
	}
	s.containers = append(s.containers, it)
	r.containers[c.ID] = it
	return nil
}

// StartContainer implements container.Runtime.
func (r *Runtime) StartContainer(_ context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.containers[id]
	switch {
	case !ok:
		return fmt.Errorf("start container: %w: %s", errNoContainer, id)
	case c.State != container.Created:
		return fmt.Errorf("start container %s: it is %s", c.Config.Name, c.State)
	case c.does.StartError != nil:
		c.Started = time.Now()
		r.finish(c, 128, 0, "StartError", c.does.StartError.Error())
		return c.does.StartError
	}
	c.State, c.Started, c.PID = container.Running, time.Now(), 1
	if err := c.writeLog(); err != nil {
		return err
	}
	r.publish(c)
	if c.does.Ends {
		c.timer = time.AfterFunc(c.does.After, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if c.does.OOM {
				c.OOMKilled = true
			}
			r.end(c, c.does.Code, 0, "", "")
		})
	}
	return nil
}

// writeLog writes the script's lines in CRI format.
func (c *item) writeLog() error {
	if len(c.does.Log) == 0 || c.Config.LogPath == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(c.Config.LogPath), 0o755); err != nil {
		return fmt.Errorf("write log of %s: %w", c.Config.Name, err)
	}
	f, err := os.OpenFile(c.Config.LogPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("write log of %s: %w", c.Config.Name, err)
	}
	defer f.Close()
	for _, line := range c.does.Log {
		if _, err := fmt.Fprintf(f, "%s stdout F %s\n", time.Now().UTC().Format(time.RFC3339Nano), line); err != nil {
			return fmt.Errorf("write log of %s: %w", c.Config.Name, err)
		}
	}
	return nil
}

// end makes a container that runs end; with the lock held.
func (r *Runtime) end(c *item, code, signal int, reason, message string) {
	if c.State != container.Running {
		return
	}
	r.finish(c, code, signal, reason, message)
}

func (r *Runtime) finish(c *item, code, signal int, reason, message string) {
	if c.timer != nil {
		c.timer.Stop()
	}
	if m := c.does.Message; m != "" && c.Config.TerminationMessage != "" {
		os.WriteFile(c.Config.TerminationMessage, []byte(m), 0o600)
	}
	c.State, c.Finished, c.PID = container.Exited, time.Now(), 0
	c.ExitCode, c.Signal, c.Reason, c.Message = code, signal, reason, message
	if c.done != nil {
		close(c.done)
		c.done = nil
	}
	r.publish(c)
}

// StopContainer implements container.Runtime.
func (r *Runtime) StopContainer(ctx context.Context, id, _ string, grace time.Duration) error {
	r.mu.Lock()
	c, ok := r.containers[id]
	if !ok || c.State != container.Running {
		if ok && c.State == container.Created {
			r.finish(c, 137, 0, "", "")
		}
		r.mu.Unlock()
		return nil
	}
	if c.does.StopTakes == 0 {
		code, signal := c.stopCode()
		r.end(c, code, signal, "", "")
		r.mu.Unlock()
		return nil
	}
	if c.done == nil {
		c.done = make(chan struct{})
	}
	done, takes := c.done, c.does.StopTakes
	r.mu.Unlock()

	timer := time.NewTimer(min(takes, grace))
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if takes > grace {
		r.end(c, 137, 9, "", "")
	} else {
		code, signal := c.stopCode()
		r.end(c, code, signal, "", "")
	}
	return nil
}

func (c *item) stopCode() (code, signal int) {
	if c.does.StopCode != 0 || c.does.StopsClean {
		return c.does.StopCode, 0
	}
	return 143, 15
}

// RemoveContainer implements container.Runtime.
func (r *Runtime) RemoveContainer(_ context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.containers[id]
	if !ok {
		return nil
	}
	if c.State == container.Running {
		return fmt.Errorf("remove container %s: it is running", c.Config.Name)
	}
	delete(r.containers, id)
	if s := r.sandboxes[c.SandboxID]; s != nil {
		kept := s.containers[:0]
		for _, other := range s.containers {
			if other != c {
				kept = append(kept, other)
			}
		}
		s.containers = kept
	}
	return nil
}

// ContainerStatus implements container.Runtime.
func (r *Runtime) ContainerStatus(_ context.Context, id string) (container.Container, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.containers[id]
	if !ok {
		return container.Container{}, fmt.Errorf("%w: %s", errNoContainer, id)
	}
	return c.Container, nil
}

// UpdateResources implements container.Runtime.
func (r *Runtime) UpdateResources(_ context.Context, id string, res container.Resources) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.containers[id]
	if !ok {
		return fmt.Errorf("%w: %s", errNoContainer, id)
	}
	c.Config.Resources = res
	return nil
}

// Stats implements container.Runtime: a hollow container uses nothing.
func (r *Runtime) Stats(_ context.Context, id string) (container.Stats, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.containers[id]; !ok {
		return container.Stats{}, fmt.Errorf("%w: %s", errNoContainer, id)
	}
	return container.Stats{Time: time.Now()}, nil
}

// ReopenLog implements container.Runtime.
func (r *Runtime) ReopenLog(context.Context, string) error { return nil }
