package oci

import (
	"slices"
	"strconv"
	"strings"

	"os"
)

// capabilityNames are in the kernel's order: the index is the number.
var capabilityNames = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
	LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
	SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE
	AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF
	CHECKPOINT_RESTORE`)

// defaultCapabilities are those that containerd gives.
var defaultCapabilities = strings.Fields(`CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP
	NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE`)

// capabilities gives a container's set, in the kernel's order: the default or, for a privileged one, all; ALL may be
// added or dropped; nothing that the node itself does not have.
func capabilities(privileged bool, add, drop []string, own uint64) []string {
	add, drop = normalize(add), normalize(drop)
	has := func(name string) bool {
		switch {
		case privileged:
			return true
		case slices.Contains(add, name):
			return true
		case slices.Contains(drop, name):
			return false
		case slices.Contains(add, "ALL"):
			return true
		case slices.Contains(drop, "ALL"):
			return false
		}
		return slices.Contains(defaultCapabilities, name)
	}
	set := []string{}
	for n, name := range capabilityNames {
		if own&(1<<n) != 0 && has(name) {
			set = append(set, "CAP_"+name)
		}
	}
	return set
}

func normalize(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.TrimPrefix(strings.ToUpper(n), "CAP_")
	}
	return out
}

// ownCapabilities reads the bounding set of this process.
func ownCapabilities() uint64 {
	set, err := strconv.ParseUint(statusField("CapBnd"), 16, 64)
	if err != nil {
		return 0
	}
	return set
}

func statusField(name string) string {
	body, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(body)) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

const capSysResource = 24
