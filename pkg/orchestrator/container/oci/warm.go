package oci

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/cgroups"
)

// warmer begins early what moving a process into a cgroup waits for. The kernel has all processors pass a quiet state first (8 to 16 ms
// at 250 ticks a second), and whoever moves one soon after waits no more. So this process moves to where it is already, while the one
// that is to be moved is still being prepared.
type warmer struct {
	procs string // cgroup.procs of this process's cgroup; empty: not found
	where []byte // what /proc/self/cgroup said
}

// newWarmer makes sure that the file found is this process's: with namespaces and mounts of others it need not be.
func newWarmer() warmer {
	where, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return warmer{}
	}
	procs := filepath.Join(ownCgroup(where), "cgroup.procs")
	list, err := os.ReadFile(procs)
	if err != nil || !slices.Contains(strings.Fields(string(list)), strconv.Itoa(os.Getpid())) {
		return warmer{}
	}
	return warmer{procs: procs, where: where}
}

// ownCgroup is the directory of one of the cgroups that /proc/self/cgroup lists.
func ownCgroup(list []byte) string {
	prefix, root := []byte("0::"), "/sys/fs/cgroup"
	if !cgroups.IsCgroup2UnifiedMode() {
		prefix, root = []byte("pids:"), "/sys/fs/cgroup/pids"
	}
	for line := range bytes.Lines(list) {
		if i := bytes.Index(line, prefix); i >= 0 {
			return filepath.Join(root, string(bytes.TrimSpace(line[i+len(prefix):])))
		}
	}
	return ""
}

// warm returns at once. Where it fails the one who moves waits longer, nothing else.
func (w warmer) warm() {
	if w.procs == "" {
		return
	}
	go func() {
		// Somebody may have moved this process since.
		if where, err := os.ReadFile("/proc/self/cgroup"); err == nil && bytes.Equal(where, w.where) {
			_ = os.WriteFile(w.procs, []byte(strconv.Itoa(os.Getpid())), 0)
		}
	}()
}
