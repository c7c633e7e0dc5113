package oci

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"
)

// Check tells what this machine lacks for running containers, in words for a person; nil when nothing does.
func Check() error {
	var missing []string
	if os.Geteuid() != 0 {
		missing = append(missing, "root: containers need it (run with sudo)")
	}
	if statusField("CapEff") != "" && os.Geteuid() == 0 {
		if own := ownCapabilities(); own&(1<<21) == 0 {
			missing = append(missing, "the capability CAP_SYS_ADMIN: namespaces and mounts need it (in a container: --privileged)")
		}
	}
	if !hasFilesystem("overlay") {
		missing = append(missing, "overlayfs: the kernel does not list it in /proc/filesystems (modprobe overlay)")
	}
	missing = append(missing, missingCgroups()...)
	if len(missing) == 0 {
		return nil
	}
	return errors.New("cannot run containers here; missing: " + strings.Join(missing, "; "))
}

func hasFilesystem(name string) bool {
	body, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(body)) {
		if f := strings.Fields(line); len(f) > 0 && f[len(f)-1] == name {
			return true
		}
	}
	// A module that is not loaded yet is loaded by its first mount.
	return modulePresent(name)
}

func modulePresent(name string) bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	body, err := os.ReadFile("/lib/modules/" + unix.ByteSliceToString(u.Release[:]) + "/modules.dep")
	return err == nil && strings.Contains(string(body), "/"+name+".ko")
}

func missingCgroups() []string {
	const root = "/sys/fs/cgroup"
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		return []string{"cgroups: " + root + " is not there"}
	}
	if cgroups.IsCgroup2UnifiedMode() {
		body, err := os.ReadFile(root + "/cgroup.controllers")
		if err != nil {
			return []string{fmt.Sprintf("cgroups: %v", err)}
		}
		return lacking(strings.Fields(string(body)))
	}
	all, err := cgroups.GetAllSubsystems()
	if err != nil {
		return []string{fmt.Sprintf("cgroups: %v", err)}
	}
	var mounted []string
	for _, c := range all {
		if _, err := cgroups.FindCgroupMountpoint("", c); err == nil {
			mounted = append(mounted, c)
		}
	}
	return lacking(mounted)
}

func lacking(have []string) []string {
	var out []string
	for _, want := range []string{"cpu", "memory", "pids"} {
		found := false
		for _, h := range have {
			found = found || h == want
		}
		if !found {
			out = append(out, "the cgroup controller "+want+" (kernel parameter cgroup_enable="+want+")")
		}
	}
	return out
}
