package kubelet

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// security turns the pod's and the container's securityContext, the latter first, into the runtime's terms. seccompDir
// holds localhost profiles.
func security(pod *corev1.Pod, c *corev1.Container, image container.ImageConfig, seccompDir string) (container.Security, error) {
	psc, csc := pod.Spec.SecurityContext, c.SecurityContext
	if psc == nil {
		psc = &corev1.PodSecurityContext{}
	}
	if csc == nil {
		csc = &corev1.SecurityContext{}
	}
	s := container.Security{
		Privileged:      csc.Privileged != nil && *csc.Privileged,
		ReadOnlyRoot:    csc.ReadOnlyRootFilesystem != nil && *csc.ReadOnlyRootFilesystem,
		NoNewPrivileges: csc.AllowPrivilegeEscalation != nil && !*csc.AllowPrivilegeEscalation,
		UnmaskProc:      csc.ProcMount != nil && *csc.ProcMount == corev1.UnmaskedProcMount,
	}
	user := either(csc.RunAsUser, psc.RunAsUser)
	setUser(&s, user, either(csc.RunAsGroup, psc.RunAsGroup), image.User)
	if nonRoot := either(csc.RunAsNonRoot, psc.RunAsNonRoot); nonRoot != nil && *nonRoot {
		if err := checkNonRoot(pod, c, user, s); err != nil {
			return s, err
		}
	}
	s.Groups = append(s.Groups, psc.SupplementalGroups...)
	if psc.FSGroup != nil {
		s.Groups = append(s.Groups, *psc.FSGroup)
	}
	if csc.Capabilities != nil {
		for _, name := range csc.Capabilities.Add {
			s.AddCapabilities = append(s.AddCapabilities, string(name))
		}
		for _, name := range csc.Capabilities.Drop {
			s.DropCapabilities = append(s.DropCapabilities, string(name))
		}
	}
	s.Seccomp = seccomp(either(csc.SeccompProfile, psc.SeccompProfile), s.Privileged, seccompDir)
	return s, nil
}

func either[T any](first, second *T) *T {
	if first != nil {
		return first
	}
	return second
}

// setUser takes the pod's user, or the image's: a name is left to the runtime, which can look into the image.
func setUser(s *container.Security, user, group *int64, image string) {
	name, own, _ := strings.Cut(image, ":")
	uid, err := strconv.ParseInt(name, 10, 64)
	switch {
	case user != nil:
		s.UID, s.GID = *user, -1 // the user's own group, as the image knows it
	case image == "":
	case err == nil:
		s.UID, s.GID = uid, -1
		if gid, err := strconv.ParseInt(own, 10, 64); err == nil {
			s.GID = gid
		}
	default:
		s.UID, s.Username = -1, image
	}
	if group != nil {
		s.GID = *group
	}
}

func checkNonRoot(pod *corev1.Pod, c *corev1.Container, user *int64, s container.Security) error {
	switch {
	case user != nil && *user == 0:
		return fmt.Errorf("container's runAsUser breaks non-root policy (pod: %q, container: %s)", podRef(pod), c.Name)
	case user != nil:
		return nil
	case s.Username != "":
		name, _, _ := strings.Cut(s.Username, ":")
		return fmt.Errorf("container has runAsNonRoot and image has non-numeric user (%s), cannot verify user is non-root (pod: %q, container: %s)", name, podRef(pod), c.Name)
	case s.UID == 0:
		return fmt.Errorf("container has runAsNonRoot and image will run as root (pod: %q, container: %s)", podRef(pod), c.Name)
	}
	return nil
}

func seccomp(p *corev1.SeccompProfile, privileged bool, dir string) string {
	if p == nil || privileged {
		return ""
	}
	switch p.Type {
	case corev1.SeccompProfileTypeRuntimeDefault:
		return "runtime/default"
	case corev1.SeccompProfileTypeLocalhost:
		if p.LocalhostProfile != nil && filepath.IsLocal(*p.LocalhostProfile) {
			return "localhost/" + filepath.Join(dir, *p.LocalhostProfile)
		}
	}
	return "unconfined"
}
