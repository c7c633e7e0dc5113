package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// hits are what a round killed.
type hits struct{ servers, agents, shims int }

func (h *hits) String() string {
	return fmt.Sprintf("%d server, %d agents, %d shims", h.servers, h.agents, h.shims)
}

// process is one of the cluster's, found by the program it runs: all of them lie in this machine's own folder.
type process struct {
	pid  int
	role string // server, agent, shim
}

func (t *trial) processes() ([]process, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var out []process
	for _, dir := range dirs {
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil || !strings.HasPrefix(exe, t.m.Dir) {
			continue
		}
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue // it has just ended
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			return nil, err
		}
		args := strings.Split(string(line), "\x00")
		switch {
		case filepath.Base(exe) == "skiff-shim":
			out = append(out, process{pid, "shim"})
		case filepath.Base(exe) == "skiffd" && len(args) > 1 && (args[1] == "server" || args[1] == "agent"):
			out = append(out, process{pid, args[1]})
		}
	}
	return out, nil
}

// kill sends SIGKILL to some of what runs: always to one process at least, often to all servers and agents at once.
func (t *trial) kill(ctx context.Context) (*hits, error) {
	h := &hits{}
	all := t.random.IntN(3) == 0
	return h, t.strike(h, func(role string) bool {
		switch role {
		case "shim":
			return t.random.IntN(6) == 0
		case "server":
			return all || t.random.IntN(2) == 0
		}
		return all || t.random.IntN(3) == 0
	})
}

func (t *trial) strike(h *hits, chosen func(role string) bool) error {
	running, err := t.processes()
	if err != nil {
		return err
	}
	for h.servers+h.agents+h.shims == 0 && len(running) > 0 {
		for _, p := range running {
			if !chosen(p.role) {
				continue
			}
			if err := syscall.Kill(p.pid, syscall.SIGKILL); errors.Is(err, syscall.ESRCH) {
				continue
			} else if err != nil {
				return fmt.Errorf("kill %s %d: %w", p.role, p.pid, err)
			}
			switch p.role {
			case "server":
				h.servers++
			case "agent":
				h.agents++
			default:
				h.shims++
			}
		}
	}
	return nil
}

// startAndKill starts the cluster and kills the server while it comes up.
func (t *trial) startAndKill(ctx context.Context, h *hits) error {
	cmd := t.m.Command(ctx, "skiff", "cluster", "start", clusterName)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the cluster: %w", err)
	}
	pause(ctx, time.Duration(20+t.random.IntN(200))*time.Millisecond)
	again := &hits{}
	running, err := t.processes()
	if err == nil && len(running) > 0 {
		err = t.strikeOnce(again)
	}
	h.servers += again.servers
	_ = cmd.Wait() // it may well fail: its server was killed
	return err
}

// strikeOnce kills the server, if there is one by now.
func (t *trial) strikeOnce(h *hits) error {
	running, err := t.processes()
	if err != nil {
		return err
	}
	for _, p := range running {
		if p.role == "server" && syscall.Kill(p.pid, syscall.SIGKILL) == nil {
			h.servers++
		}
	}
	return nil
}
