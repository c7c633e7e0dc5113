package oci

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/opencontainers/cgroups"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci/wire"
)

// Stats reads what the kernel counts for a container.
func (r *Runtime) Stats(ctx context.Context, id string) (container.Stats, error) {
	c, s, err := r.running(id)
	if err != nil {
		return container.Stats{}, fmt.Errorf("read stats: %w", err)
	}
	m, err := cgroupAt(r.containerCgroup(s.config, id), &cgroups.Resources{})
	if err != nil {
		return container.Stats{}, err
	}
	out := container.Stats{Time: time.Now(), WrittenBytes: usage(ctx, filepath.Join(c.dir, rootDir, "upper"))}
	if cgroups.IsCgroup2UnifiedMode() {
		dir := m.Path("")
		out.CPUNanos = field(filepath.Join(dir, "cpu.stat"), "usage_usec") * 1000
		stat := filepath.Join(dir, "memory.stat")
		out.MemoryBytes = minus(number(filepath.Join(dir, "memory.current")), field(stat, "inactive_file"))
		out.RSSBytes = field(stat, "anon")
		out.Pids = number(filepath.Join(dir, "pids.current"))
		return out, nil
	}
	stat := filepath.Join(m.Path("memory"), "memory.stat")
	out.CPUNanos = number(filepath.Join(m.Path("cpuacct"), "cpuacct.usage"))
	out.MemoryBytes = minus(number(filepath.Join(m.Path("memory"), "memory.usage_in_bytes")), field(stat, "total_inactive_file"))
	out.RSSBytes = field(stat, "total_rss")
	out.Pids = number(filepath.Join(m.Path("pids"), "pids.current"))
	return out, nil
}

// UpdateResources changes the limits of a running container.
func (r *Runtime) UpdateResources(_ context.Context, id string, res container.Resources) error {
	c, s, err := r.running(id)
	if err != nil {
		return fmt.Errorf("update resources: %w", err)
	}
	limits := resources(res)
	m, err := cgroupAt(r.containerCgroup(s.config, id), limits)
	if err != nil {
		return err
	}
	if err := m.Set(limits); err != nil {
		return fmt.Errorf("update resources of container %s: %w", id, err)
	}
	r.mu.Lock()
	c.status.Config.Resources = res
	kept := c.status
	r.mu.Unlock()
	kept.State, kept.PID = container.Created, 0 // the files of start and end tell the rest
	return wire.WriteFile(filepath.Join(c.dir, containerFile), kept, false)
}

func number(path string) uint64 {
	body, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(body)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func field(path, name string) uint64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		if v, ok := strings.CutPrefix(scan.Text(), name+" "); ok {
			n, err := strconv.ParseUint(v, 10, 64)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

func minus(a, b uint64) uint64 {
	if b > a {
		return 0
	}
	return a - b
}

// usage is the space that a tree takes on disk.
func usage(ctx context.Context, dir string) uint64 {
	var sum uint64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return fs.SkipAll
		}
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				sum += uint64(st.Blocks) * 512
			}
		}
		return nil
	})
	return sum
}
