package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/types"
)

// hits are what a round killed.
type hits struct {
	servers, agents int
	shims           int
	containers      map[types.UID][]string // whose shim was killed while they ran, by pod, one after the other
	ended           int                    // containers that ended by themselves while their agent was dead
}

func (h *hits) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{h.servers, "server"}, {h.agents, "agent"}, {h.shims, "shim"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// kill kills a random choice of processes in random order, and lets containers end whose agent is dead.
func (t *trial) kill(ctx context.Context) (*hits, error) {
	h := &hits{containers: map[types.UID][]string{}}
	choice := 1 + t.random.IntN(7)
	victims := []func() error{}
	if choice&1 != 0 {
		victims = append(victims, func() error { return t.killProgram("server", &h.servers) })
	}
	if choice&2 != 0 {
		victims = append(victims, func() error { return t.killProgram("agent", &h.agents) })
	}
	if choice&4 != 0 {
		for range 1 + t.random.IntN(2) {
			victims = append(victims, func() error { return t.killShim(h) })
		}
	}
	t.random.Shuffle(len(victims), func(i, j int) { victims[i], victims[j] = victims[j], victims[i] })
	for _, victim := range victims {
		if err := victim(); err != nil {
			return h, err
		}
		pause(ctx, time.Duration(t.random.IntN(100))*time.Millisecond)
	}
	return h, t.endMortals(ctx, h)
}

// killProgram kills all of skiffd's processes with a command.
func (t *trial) killProgram(command string, count *int) error {
	all, err := t.processes()
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.is("skiffd", command) {
			if err := unix.Kill(p.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("kill %s: %w", command, err)
			}
			*count++
		}
	}
	return nil
}

// killShim kills a random shim beside a container that runs.
func (t *trial) killShim(h *hits) error {
	all, err := t.processes()
	if err != nil {
		return err
	}
	var shims []process
	for _, p := range all {
		if p.is("skiff-shim", "serve") && !t.isMortal(p.pid, all) {
			shims = append(shims, p)
		}
	}
	if len(shims) == 0 {
		return nil
	}
	victim := shims[t.random.IntN(len(shims))]
	if err := unix.Kill(victim.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill a shim: %w", err)
	}
	h.shims++
	for _, p := range all {
		if p.parent == victim.pid && p.container != "" {
			h.containers[p.pod] = append(h.containers[p.pod], p.container)
		}
	}
	return nil
}

// startAndKill kills the server and the agents again while they start.
func (t *trial) startAndKill(ctx context.Context, h *hits) error {
	cmd := t.m.Command(ctx, "skiff", "cluster", "start", clusterName)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the cluster: %w", err)
	}
	pause(ctx, time.Duration(t.random.IntN(400))*time.Millisecond)
	err := errors.Join(t.killProgram("server", &h.servers), t.killProgram("agent", &h.agents))
	_ = cmd.Wait() // it fails, or was quick enough
	return err
}
