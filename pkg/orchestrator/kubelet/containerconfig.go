package kubelet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// The labels that containers carry, so that a later agent can read what this one knew.
const (
	labelImage   = "io.kubernetes.container.image"
	labelImageID = "io.kubernetes.container.imageID"
	labelGrace   = "io.kubernetes.pod.terminationGracePeriod"
)

// containerConfig makes all that the runtime needs to know of a container's nth attempt.
func (k *Kubelet) containerConfig(ctx context.Context, pod *corev1.Pod, c *corev1.Container, image container.Image, s *container.Sandbox, n int) (container.ContainerConfig, error) {
	config := container.ContainerConfig{
		ID: newContainerID(), Name: c.Name, Attempt: n, ImageID: image.ID, ImageRef: c.Image,
		WorkingDir: c.WorkingDir, Stdin: c.Stdin, StdinOnce: c.StdinOnce, TTY: c.TTY,
		StopSignal: image.Config.StopSignal,
		Labels:     map[string]string{labelImage: imageShown(c.Image, image), labelImageID: imageIDShown(image)},
		Resources:  containerResources(pod, c, k.machine.memory),
	}
	if g := pod.Spec.TerminationGracePeriodSeconds; g != nil {
		config.Labels[labelGrace] = strconv.FormatInt(*g, 10)
	}
	if config.WorkingDir == "" {
		config.WorkingDir = image.Config.WorkingDir
	}
	if c.Lifecycle != nil && c.Lifecycle.StopSignal != nil {
		config.StopSignal = string(*c.Lifecycle.StopSignal)
	}
	var err error
	if config.Security, err = security(pod, c, image.Config, filepath.Join(k.config.Dir, "seccomp")); err != nil {
		return config, err
	}
	if k.config.Weightless {
		config.Args = append(slices.Clone(c.Command), c.Args...)
		return config, nil
	}
	services, err := k.services(ctx, pod)
	if err != nil {
		return config, err
	}
	at := podAddresses{podIPs: s.IPs, hostIPs: k.config.NodeIPs}
	if pod.Spec.HostNetwork {
		at.podIPs = at.hostIPs
	}
	env, err := k.environ(ctx, pod, c, at, services)
	if err != nil {
		return config, err
	}
	config.Env = withDefaults(env, image.Config.Env, hostname(pod, k.config.NodeName), c.TTY).list()
	config.Args = command(c, image.Config, env)
	if len(config.Args) == 0 {
		return config, fmt.Errorf("no command specified")
	}
	if err := k.files(pod, c, env, at.podIPs, &config); err != nil {
		return config, err
	}
	return config, nil
}

// imageShown is the image as the status names it: by the tag or digest that the pod's reference stands for.
func imageShown(ref string, image container.Image) string {
	for _, list := range [][]string{image.RepoTags, image.RepoDigests} {
		for _, tag := range list {
			if tag == ref || strings.HasSuffix(tag, "/"+ref) || strings.HasSuffix(tag, "/"+ref+":latest") {
				return tag
			}
		}
	}
	switch {
	case len(image.RepoTags) > 0:
		return image.RepoTags[0]
	case len(image.RepoDigests) > 0:
		return image.RepoDigests[0]
	}
	return image.ID
}

func imageIDShown(image container.Image) string {
	if len(image.RepoDigests) > 0 {
		return image.RepoDigests[0]
	}
	return image.ID
}

// command joins entrypoint and arguments: a command of the pod leaves out the image's arguments too.
func command(c *corev1.Container, image container.ImageConfig, env *environment) []string {
	head, tail := image.Entrypoint, image.Cmd
	if len(c.Command) > 0 {
		head, tail = expandAll(c.Command, env.lookup), nil
	}
	if len(c.Args) > 0 {
		tail = expandAll(c.Args, env.lookup)
	}
	return append(slices.Clone(head), tail...)
}

// withDefaults puts the image's environment, and what every container finds, below the pod's.
func withDefaults(env *environment, image []string, host string, tty bool) *environment {
	out := &environment{values: map[string]string{}}
	out.set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	if tty {
		out.set("TERM", "xterm")
	}
	out.set("HOSTNAME", host)
	for _, line := range image {
		name, value, _ := strings.Cut(line, "=")
		out.set(name, value)
	}
	for _, name := range env.names {
		out.set(name, env.values[name])
	}
	return out
}

// files makes the container's mounts, log and termination message.
func (k *Kubelet) files(pod *corev1.Pod, c *corev1.Container, env *environment, podIPs []string, config *container.ContainerConfig) error {
	dir := filepath.Join(k.logDir(pod), c.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create container log directory for container %s failed: %w", c.Name, err)
	}
	config.LogPath = filepath.Join(dir, strconv.Itoa(config.Attempt)+".log")
	config.LogMaxSize, config.LogMaxFiles = k.config.LogMaxSize, k.config.LogMaxFiles
	mounts, err := k.mounts(pod, c, env)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, m := range mounts {
		taken[m.Target] = true
	}
	own, err := k.podMounts(pod, podIPs)
	if err != nil {
		return err
	}
	for _, m := range own {
		if !taken[m.Target] {
			mounts = append(mounts, m)
		}
	}
	if path := c.TerminationMessagePath; path != "" && !taken[path] {
		file, err := k.terminationFile(pod, c, config.ID)
		if err != nil {
			return err
		}
		config.TerminationMessage = file
		mounts = append(mounts, container.Mount{Source: file, Target: path})
	}
	// A mount inside another one comes after it.
	slices.SortStableFunc(mounts, func(a, b container.Mount) int {
		return strings.Count(filepath.Clean(a.Target), "/") - strings.Count(filepath.Clean(b.Target), "/")
	})
	config.Mounts = mounts
	return nil
}

// terminationFile makes the file that a container may leave its last words in.
func (k *Kubelet) terminationFile(pod *corev1.Pod, c *corev1.Container, id string) (string, error) {
	dir := filepath.Join(k.podDir(pod.UID), "containers", c.Name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("make termination log: %w", err)
	}
	path := filepath.Join(dir, id[:8])
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		return "", fmt.Errorf("make termination log: %w", err)
	}
	return path, os.Chmod(path, 0o666) // whatever the umask
}

// mounts binds the pod's volumes.
func (k *Kubelet) mounts(pod *corev1.Pod, c *corev1.Container, env *environment) ([]container.Mount, error) {
	var out []container.Mount
	for i := range c.VolumeMounts {
		m := &c.VolumeMounts[i]
		vol := findVolume(pod, m.Name)
		if vol == nil {
			return nil, fmt.Errorf("cannot find volume %q to mount into container %q", m.Name, c.Name)
		}
		sub := m.SubPath
		if m.SubPathExpr != "" {
			missing := ""
			sub = expand(m.SubPathExpr, func(name string) (string, bool) {
				v, ok := env.lookup(name)
				if !ok && missing == "" {
					missing = name
				}
				return v, ok
			})
			if missing != "" {
				return nil, fmt.Errorf("missing value for %q", missing)
			}
		}
		if filepath.IsAbs(sub) {
			return nil, fmt.Errorf("error SubPath `%s` must not be an absolute path", sub)
		}
		if slices.Contains(strings.Split(sub, "/"), "..") {
			return nil, fmt.Errorf("unable to provision SubPath `%s`: must not contain '..'", sub)
		}
		target := m.MountPath
		if !filepath.IsAbs(target) {
			target = "/" + target
		}
		out = append(out, container.Mount{
			Source: k.volumes.Path(pod.UID, vol), Target: target, SubPath: sub, Propagation: propagation(m),
			ReadOnly: m.ReadOnly || vol.ConfigMap != nil || vol.Secret != nil || vol.Projected != nil || vol.DownwardAPI != nil,
		})
	}
	return out, nil
}

func propagation(m *corev1.VolumeMount) string {
	if m.MountPropagation == nil {
		return ""
	}
	switch *m.MountPropagation {
	case corev1.MountPropagationHostToContainer:
		return "rslave"
	case corev1.MountPropagationBidirectional:
		return "rshared"
	}
	return ""
}

func findVolume(pod *corev1.Pod, name string) *corev1.Volume {
	for i := range pod.Spec.Volumes {
		if pod.Spec.Volumes[i].Name == name {
			return &pod.Spec.Volumes[i]
		}
	}
	return nil
}

// sandboxConfig describes the nth sandbox of a pod.
func (k *Kubelet) sandboxConfig(pod *corev1.Pod, n int) (container.SandboxConfig, error) {
	c := container.SandboxConfig{
		ID: sandboxID(pod.UID, n), PodUID: string(pod.UID), Namespace: pod.Namespace, Name: pod.Name,
		HostNetwork: pod.Spec.HostNetwork, HostPID: pod.Spec.HostPID, HostIPC: pod.Spec.HostIPC,
		SharePID:     pod.Spec.ShareProcessNamespace != nil && *pod.Spec.ShareProcessNamespace,
		CgroupParent: cgroupParent(pod), Resources: podResources(pod),
	}
	if pod.Spec.HostUsers != nil && !*pod.Spec.HostUsers {
		return c, fmt.Errorf("user namespaces (hostUsers: false) are not supported by this node agent")
	}
	if pod.Spec.RuntimeClassName != nil && *pod.Spec.RuntimeClassName != "" {
		return c, fmt.Errorf("failed to get sandbox runtime: no runtime for %q is configured", *pod.Spec.RuntimeClassName)
	}
	c.Hostname = hostname(pod, k.config.NodeName)
	if fqdn := pod.Spec.SetHostnameAsFQDN; fqdn != nil && *fqdn {
		if domain := hostDomain(pod, k.config.ClusterDomain); domain != "" {
			c.Hostname += "." + domain
			if len(c.Hostname) > 64 {
				return c, fmt.Errorf("failed to construct FQDN from pod hostname and cluster domain, FQDN %s is too long (64 characters is the max, %d characters requested)", c.Hostname, len(c.Hostname))
			}
		}
	}
	if sc := pod.Spec.SecurityContext; sc != nil && len(sc.Sysctls) > 0 {
		c.Sysctls = map[string]string{}
		for _, s := range sc.Sysctls {
			c.Sysctls[s.Name] = s.Value
		}
	}
	if !pod.Spec.HostNetwork {
		c.Ports = hostPorts(pod)
	}
	if !k.config.Weightless {
		c.LogDir = k.logDir(pod)
	}
	return c, nil
}

func hostPorts(pod *corev1.Pod) []container.HostPort {
	var out []container.HostPort
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			for _, p := range list[i].Ports {
				if p.HostPort == 0 {
					continue
				}
				protocol := string(p.Protocol)
				if protocol == "" {
					protocol = "TCP"
				}
				out = append(out, container.HostPort{HostIP: p.HostIP, HostPort: p.HostPort, ContainerPort: p.ContainerPort, Protocol: protocol})
			}
		}
	}
	return out
}
