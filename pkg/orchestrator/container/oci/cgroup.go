package oci

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/manager"
	"golang.org/x/sys/unix"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// podCgroup and containerCgroup name cgroups below the roots of all hierarchies.
func (r *Runtime) podCgroup(c container.SandboxConfig) string {
	parent := c.CgroupParent
	if parent == "" {
		parent = path.Join("besteffort", "pod"+c.PodUID)
	}
	return path.Join("/", r.cfg.CgroupRoot, path.Clean("/"+parent))
}

func (r *Runtime) containerCgroup(c container.SandboxConfig, id string) string {
	return path.Join(r.podCgroup(c), id)
}

// resources gives limits in the words of the cgroups package. Devices are left to the container's specification.
func resources(r container.Resources) *cgroups.Resources {
	out := &cgroups.Resources{SkipDevices: true, CpuShares: r.CPUShares, CpuQuota: r.CPUQuota, CpuPeriod: r.CPUPeriod,
		Memory: r.MemoryLimit}
	if r.PidsLimit != 0 {
		out.PidsLimit = r.PidsLimit
	}
	if cgroups.IsCgroup2UnifiedMode() && r.CPUShares != 0 {
		out.CpuWeight = cgroups.ConvertCPUSharesToCgroupV2Value(r.CPUShares)
		out.CpuShares = 0
	}
	return out
}

func cgroupAt(p string, r *cgroups.Resources) (cgroups.Manager, error) {
	m, err := manager.New(&cgroups.Cgroup{Path: p, Resources: r})
	if err != nil {
		return nil, fmt.Errorf("open cgroup %s: %w", p, err)
	}
	return m, nil
}

// makeCgroup makes a cgroup without processes of its own.
func makeCgroup(p string, r container.Resources) error {
	limits := resources(r)
	m, err := cgroupAt(p, limits)
	if err != nil {
		return err
	}
	if err := m.Apply(-1); err != nil {
		return fmt.Errorf("make cgroup %s: %w", p, err)
	}
	if err := m.Set(limits); err != nil {
		return fmt.Errorf("limit cgroup %s: %w", p, err)
	}
	return nil
}

// killCgroup kills all below a cgroup and returns once nothing is left.
func killCgroup(p string) error {
	m, err := cgroupAt(p, &cgroups.Resources{})
	if err != nil {
		return err
	}
	if !m.Exists() {
		return nil
	}
	_ = m.Freeze(cgroups.Thawed)
	deadline := time.Now().Add(10 * time.Second)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		if cgroups.IsCgroup2UnifiedMode() {
			_ = os.WriteFile(filepath.Join(m.Path(""), "cgroup.kill"), []byte("1"), 0)
		}
		pids, err := m.GetAllPids()
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
			return fmt.Errorf("list cgroup %s: %w", p, err)
		}
		if len(pids) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("kill cgroup %s: processes %v do not end", p, pids)
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		time.Sleep(pause) // the kernel tells nobody when a version 1 cgroup is empty
	}
}

// removeCgroup removes an empty cgroup and what is below it, in every hierarchy.
func removeCgroup(p string) error {
	m, err := cgroupAt(p, &cgroups.Resources{})
	if err != nil {
		return err
	}
	for _, dir := range cgroupDirs(m) {
		if err := removeCgroupDir(dir); err != nil {
			return fmt.Errorf("remove cgroup %s: %w", p, err)
		}
	}
	return nil
}

func cgroupDirs(m cgroups.Manager) []string {
	var dirs []string
	for _, d := range m.GetPaths() {
		dirs = append(dirs, d)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// removeCgroupDir removes deepest first. A cgroup stays busy for a moment after its last process was reaped.
func removeCgroupDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeCgroupDir(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	for pause := time.Millisecond; ; pause *= 2 {
		err = unix.Rmdir(dir)
		if err == nil || err == unix.ENOENT {
			return nil
		}
		if err != unix.EBUSY || pause > time.Second {
			return &os.PathError{Op: "rmdir", Path: dir, Err: err}
		}
		time.Sleep(pause)
	}
}

// RemoveCgroups kills what runs in a node's cgroup and removes it: the end of a node whose Runtime may be dead.
func RemoveCgroups(root string) error {
	root = path.Clean("/" + root)
	if root == "/" {
		return errors.New("remove cgroups: the root is everybody's")
	}
	if err := killCgroup(root); err != nil {
		return err
	}
	return removeCgroup(root)
}
