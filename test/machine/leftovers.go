package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
)

// Leftovers says what of deleted clusters is still on the machine: files, mounts, links, rules, processes. (A cgroup that is
// still there fails the deletion itself.)
func (m *Machine) Leftovers() error {
	var left []string
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("look for mounts: %w", err)
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 4 && strings.HasPrefix(fields[4], m.Dir) {
			left = append(left, "mount "+fields[4])
		}
	}
	files, err := filepath.Glob(filepath.Join(m.Data(), "clusters", "*"))
	if err != nil {
		return fmt.Errorf("look for files: %w", err)
	}
	for _, path := range files {
		left = append(left, "directory "+path)
	}
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("look for links: %w", err)
	}
	for _, l := range links {
		if strings.HasPrefix(l.Attrs().Name, "sk-") {
			left = append(left, "link "+l.Attrs().Name)
		}
	}
	tables, err := (&nftables.Conn{}).ListTables()
	if err != nil {
		return fmt.Errorf("look for rules: %w", err)
	}
	for _, t := range tables {
		left = append(left, "nft table "+t.Name)
	}
	left = append(left, m.processes()...)
	if len(left) > 0 {
		return fmt.Errorf("left behind: %s", strings.Join(left, ", "))
	}
	return nil
}

// processes are those that run a program of this machine's clusters.
func (m *Machine) processes() []string {
	var out []string
	dirs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is well-formed
	for _, dir := range dirs {
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if err == nil && strings.HasPrefix(exe, m.Dir) {
			out = append(out, "process "+filepath.Base(dir)+" ("+exe+")")
		}
	}
	return out
}
