package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// process is one that /proc shows.
type process struct {
	pid, parent int
	program     string // of ours: skiffd, skiff-shim
	args        []string
	container   string // whose cgroup it is in
	pod         types.UID
}

// processes are the cluster's own and those of its containers.
func (t *trial) processes() ([]process, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(t.m.Cluster(clusterName)))
	root := fmt.Sprintf("/skiff/%s-%x/", clusterName, sum[:4])
	var out []process
	for _, dir := range dirs {
		if p, ok := readProcess(dir, t.m.Dir, root); ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// readProcess reads what belongs to the cluster and lives; a process may end meanwhile.
func readProcess(dir, home, root string) (p process, ok bool) {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return p, false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 2 || fields[0] == "Z" || fields[0] == "X" {
		return p, false
	}
	p.pid, _ = strconv.Atoi(filepath.Base(dir))
	p.parent, _ = strconv.Atoi(fields[1])
	p.pod, p.container = inCgroup(dir, root)
	if exe, err := os.Readlink(filepath.Join(dir, "exe")); err == nil && strings.HasPrefix(exe, home) && p.container == "" {
		p.program = filepath.Base(exe)
	}
	line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	p.args = strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
	return p, err == nil && (p.program != "" || p.container != "")
}

// inCgroup gives the pod and container that a process belongs to: …/pod<uid>/<container>.
func inCgroup(dir, root string) (types.UID, string) {
	data, err := os.ReadFile(filepath.Join(dir, "cgroup"))
	if err != nil {
		return "", ""
	}
	for line := range strings.Lines(string(data)) {
		_, path, found := strings.Cut(strings.TrimSpace(line), root)
		if !found {
			continue
		}
		parts := strings.Split(path, "/")
		for i, part := range parts {
			if uid, is := strings.CutPrefix(part, "pod"); is && i+1 < len(parts) {
				return types.UID(uid), parts[i+1]
			}
		}
	}
	return "", ""
}

func (p process) is(program, command string) bool {
	return p.program == program && len(p.args) > 1 && p.args[1] == command
}

// containers gives the containers that run, each with its first process: the one that came from outside.
func containers(all []process) (map[string]process, error) {
	byPID := map[int]process{}
	for _, p := range all {
		byPID[p.pid] = p
	}
	out := map[string]process{}
	for _, p := range all {
		if p.container == "" || byPID[p.parent].container == p.container {
			continue
		}
		if other, doubled := out[p.container]; doubled {
			return nil, fmt.Errorf("container doubled: %s has first processes %d and %d", p.container, other.pid, p.pid)
		}
		out[p.container] = p
	}
	return out, nil
}
