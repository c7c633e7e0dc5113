package oci

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// maskedPaths and readonlyPaths are containerd's.
var (
	maskedPaths = []string{"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/proc/interrupts", "/sys/firmware",
		"/sys/devices/virtual/powercap"}
	readonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

// specInput is all that a specification is made of.
type specInput struct {
	sandbox    container.SandboxConfig
	config     container.ContainerConfig
	image      container.ImageConfig
	rootfs     string
	user       specs.User
	mounts     []specs.Mount // beyond the standard ones
	namespaces []specs.LinuxNamespace
	cgroup     string
	devices    []specs.LinuxDevice // of the node, for a privileged container
	own        uint64              // capabilities of this process
	oomFloor   int                 // the lowest oom_score_adj that may be set
}

// newSpec makes the OCI specification of a container.
func newSpec(in specInput) (*specs.Spec, error) {
	s := in.config.Security
	caps := capabilities(s.Privileged, s.AddCapabilities, s.DropCapabilities, in.own)
	profile := s.Seccomp
	if s.Privileged {
		profile = ""
	}
	seccomp, err := seccompProfile(profile, caps)
	if err != nil {
		return nil, err
	}
	score := max(in.config.Resources.OOMScoreAdj, in.oomFloor)
	spec := &specs.Spec{
		Version: specs.Version,
		Root:    &specs.Root{Path: in.rootfs, Readonly: s.ReadOnlyRoot},
		Process: &specs.Process{
			Terminal: in.config.TTY, Args: arguments(in), Env: environment(in), Cwd: workingDir(in), User: in.user,
			Capabilities: &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps},
			OOMScoreAdj:  &score, NoNewPrivileges: s.NoNewPrivileges,
		},
		Mounts: append(standardMounts(s.Privileged), in.mounts...),
		Linux: &specs.Linux{
			CgroupsPath: in.cgroup, Namespaces: in.namespaces, Seccomp: seccomp,
			Resources: linuxResources(in.config.Resources, s.Privileged),
			Devices:   in.devices,
		},
	}
	if !s.Privileged && !s.UnmaskProc {
		spec.Linux.MaskedPaths, spec.Linux.ReadonlyPaths = maskedPaths, readonlyPaths
	}
	for _, m := range in.config.Mounts {
		// Mounts reach the container's peers only if its root is shared with the node's.
		switch {
		case m.Propagation == "rshared":
			spec.Linux.RootfsPropagation = "rshared"
		case m.Propagation == "rslave" && spec.Linux.RootfsPropagation == "":
			spec.Linux.RootfsPropagation = "rslave"
		}
	}
	return spec, nil
}

func arguments(in specInput) []string {
	if len(in.config.Args) > 0 {
		return in.config.Args
	}
	return slices.Concat(in.image.Entrypoint, in.image.Cmd)
}

func workingDir(in specInput) string {
	switch {
	case in.config.WorkingDir != "":
		return in.config.WorkingDir
	case in.image.WorkingDir != "":
		return in.image.WorkingDir
	}
	return "/"
}

// environment is the image's below the pod's, with what every container has.
func environment(in specInput) []string {
	env := []string{defaultPath}
	if in.config.TTY {
		env = append(env, "TERM=xterm")
	}
	if in.sandbox.Hostname != "" {
		env = append(env, "HOSTNAME="+in.sandbox.Hostname)
	}
	at := map[string]int{}
	out := []string{}
	for _, kv := range slices.Concat(env, in.image.Env, in.config.Env) {
		key, _, _ := strings.Cut(kv, "=")
		if i, ok := at[key]; ok {
			out[i] = kv
			continue
		}
		at[key] = len(out)
		out = append(out, kv)
	}
	return out
}

func linuxResources(r container.Resources, privileged bool) *specs.LinuxResources {
	out := &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: privileged, Access: "rwm"}}}
	cpu := specs.LinuxCPU{}
	if r.CPUShares != 0 {
		cpu.Shares = &r.CPUShares
	}
	if r.CPUQuota != 0 {
		cpu.Quota = &r.CPUQuota
	}
	if r.CPUPeriod != 0 {
		cpu.Period = &r.CPUPeriod
	}
	out.CPU = &cpu
	if r.MemoryLimit != 0 {
		out.Memory = &specs.LinuxMemory{Limit: &r.MemoryLimit}
		if cgroups.IsCgroup2UnifiedMode() {
			// The kubelet's rule: a container is killed as a whole.
			out.Unified = map[string]string{"memory.oom.group": "1"}
		}
	}
	if r.PidsLimit != 0 {
		out.Pids = &specs.LinuxPids{Limit: r.PidsLimit}
	}
	return out
}

// standardMounts are containerd's.
func standardMounts(privileged bool) []specs.Mount {
	sys := []string{"nosuid", "noexec", "nodev", "ro"}
	cgroup := []string{"nosuid", "noexec", "nodev", "relatime", "ro"}
	if privileged {
		sys[3], cgroup[4] = "rw", "rw"
	}
	return []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts",
			Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: sys},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: cgroup},
	}
}

// namespaces are the sandbox's, and a container's own.
func namespaces(c container.SandboxConfig, paths nsPaths, pausePID int) []specs.LinuxNamespace {
	ns := []specs.LinuxNamespace{{Type: specs.MountNamespace}}
	add := func(t specs.LinuxNamespaceType, path string) {
		if path != "" {
			ns = append(ns, specs.LinuxNamespace{Type: t, Path: path})
		}
	}
	add(specs.NetworkNamespace, paths.net)
	add(specs.IPCNamespace, paths.ipc)
	add(specs.UTSNamespace, paths.uts)
	switch {
	case c.HostPID:
	case pausePID != 0:
		add(specs.PIDNamespace, "/proc/"+strconv.Itoa(pausePID)+"/ns/pid")
	default:
		ns = append(ns, specs.LinuxNamespace{Type: specs.PIDNamespace})
	}
	if cgroups.IsCgroup2UnifiedMode() {
		ns = append(ns, specs.LinuxNamespace{Type: specs.CgroupNamespace})
	}
	return ns
}

// oomFloor is the lowest score that this process may give: its own, unless it has CAP_SYS_RESOURCE.
func oomFloor(own uint64) int {
	if own&(1<<capSysResource) != 0 {
		return -1000
	}
	body, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(body)))
	if err != nil {
		return 0
	}
	return n
}
