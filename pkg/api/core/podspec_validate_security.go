package core

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func isPrivileged(c *corev1.SecurityContext) bool { return c != nil && ptr.Deref(c.Privileged, false) }

func validateSecurityContext(c *corev1.SecurityContext, hostUsers bool, path *field.Path) field.ErrorList {
	if c == nil {
		return nil
	}
	errs := validateIDs(c.RunAsUser, c.RunAsGroup, path)
	if m := c.ProcMount; m != nil {
		at := path.Child("procMount")
		errs = append(errs, oneOf(*m, at, corev1.DefaultProcMount, corev1.UnmaskedProcMount)...)
		if hostUsers && *m == corev1.UnmaskedProcMount {
			errs = append(errs, field.Invalid(at, *m, "`hostUsers` must be false to use `Unmasked`"))
		}
	}
	errs = append(errs, validateSeccomp(c.SeccompProfile, path.Child("seccompProfile"))...)
	if escalation := c.AllowPrivilegeEscalation; escalation != nil && !*escalation {
		if isPrivileged(c) {
			errs = append(errs, field.Invalid(path, Internal{c}, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
		}
		if c.Capabilities != nil {
			for _, name := range c.Capabilities.Add {
				if name == "CAP_SYS_ADMIN" {
					errs = append(errs, field.Invalid(path, Internal{c}, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"))
				}
			}
		}
	}
	return append(errs, validateAppArmor(c.AppArmorProfile, path.Child("appArmorProfile"))...)
}

func validateIDs(user, group *int64, path *field.Path) (errs field.ErrorList) {
	if user != nil {
		errs = append(errs, invalid(path.Child("runAsUser"), *user, validation.IsValidUserID(*user), "")...)
	}
	if group != nil {
		errs = append(errs, invalid(path.Child("runAsGroup"), *group, validation.IsValidGroupID(*group), "")...)
	}
	return errs
}

func validateSeccomp(p *corev1.SeccompProfile, path *field.Path) (errs field.ErrorList) {
	if p == nil {
		return nil
	}
	if p.Type == "" {
		errs = append(errs, field.Required(path.Child("type"), "type is required when seccompProfile is set"))
	} else {
		errs = append(errs, oneOf(p.Type, path.Child("type"), corev1.SeccompProfileTypeLocalhost, corev1.SeccompProfileTypeRuntimeDefault, corev1.SeccompProfileTypeUnconfined)...)
	}
	file := path.Child("localhostProfile")
	switch local := p.Type == corev1.SeccompProfileTypeLocalhost; {
	case local && p.LocalhostProfile == nil:
		errs = append(errs, field.Required(file, "must be set when seccomp type is Localhost"))
	case local:
		errs = append(errs, descending(*p.LocalhostProfile, file)...)
	case p.LocalhostProfile != nil:
		errs = append(errs, field.Invalid(file, Internal{p}, "can only be set when seccomp type is Localhost"))
	}
	return errs
}

// maxProfilePath is what a path may have, but for the final zero.
const maxProfilePath = 4095

func validateAppArmor(p *corev1.AppArmorProfile, path *field.Path) (errs field.ErrorList) {
	if p == nil {
		return nil
	}
	file := path.Child("localhostProfile")
	switch p.Type {
	case corev1.AppArmorProfileTypeLocalhost:
		name := ptr.Deref(p.LocalhostProfile, "")
		switch {
		case name != strings.TrimSpace(name):
			errs = append(errs, field.Invalid(file, name, "must not be padded with whitespace"))
		case name == "":
			errs = append(errs, field.Required(file, "must be set when AppArmor type is Localhost"))
		case len(name) > maxProfilePath:
			errs = append(errs, field.TooLong(file, "", maxProfilePath))
		}
	case corev1.AppArmorProfileTypeRuntimeDefault, corev1.AppArmorProfileTypeUnconfined:
		if p.LocalhostProfile != nil {
			errs = append(errs, field.Invalid(file, *p.LocalhostProfile, "can only be set when AppArmor type is Localhost"))
		}
	case "":
		errs = append(errs, field.Required(path.Child("type"), "type is required when appArmorProfile is set"))
	default:
		errs = append(errs, field.NotSupported(path.Child("type"), p.Type, []corev1.AppArmorProfileType{
			corev1.AppArmorProfileTypeLocalhost, corev1.AppArmorProfileTypeRuntimeDefault, corev1.AppArmorProfileTypeUnconfined}))
	}
	return errs
}

// validatePodSecurity judges the security context of the pod, and which of the host's namespaces it shares.
func validatePodSecurity(s *corev1.PodSpec, path *field.Path) (errs field.ErrorList) {
	if c := s.SecurityContext; c != nil {
		errs = append(errs, validatePodContext(c, path.Child("securityContext"))...)
	}
	if ptr.Deref(s.ShareProcessNamespace, false) && s.HostPID {
		errs = append(errs, field.Invalid(path.Child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled"))
	}
	if ptr.Deref(s.HostUsers, true) {
		return errs
	}
	const msg = "when `hostUsers` is false"
	for _, f := range []struct {
		name string
		set  bool
	}{{"hostNetwork", s.HostNetwork}, {"HostPID", s.HostPID}, {"HostIPC", s.HostIPC}} {
		if f.set {
			errs = append(errs, field.Forbidden(path.Child(f.name), msg))
		}
	}
	return errs
}

func validatePodContext(c *corev1.PodSecurityContext, path *field.Path) (errs field.ErrorList) {
	if c.FSGroup != nil {
		errs = append(errs, invalid(path.Child("fsGroup"), *c.FSGroup, validation.IsValidGroupID(*c.FSGroup), "")...)
	}
	errs = append(errs, validateIDs(c.RunAsUser, c.RunAsGroup, path)...)
	for i, g := range c.SupplementalGroups {
		errs = append(errs, invalid(path.Child("supplementalGroups").Index(i), g, validation.IsValidGroupID(g), "")...)
	}
	errs = append(errs, validateSysctls(c.Sysctls, path.Child("sysctls"))...)
	if p := c.FSGroupChangePolicy; p != nil {
		errs = append(errs, oneOf(*p, path.Child("fsGroupChangePolicy"), corev1.FSGroupChangeAlways, corev1.FSGroupChangeOnRootMismatch)...)
	}
	errs = append(errs, validateSeccomp(c.SeccompProfile, path.Child("seccompProfile"))...)
	errs = append(errs, validateAppArmor(c.AppArmorProfile, path.Child("appArmorProfile"))...)
	if p := c.SupplementalGroupsPolicy; p != nil {
		errs = append(errs, oneOf(*p, path.Child("supplementalGroupsPolicy"), corev1.SupplementalGroupsPolicyMerge, corev1.SupplementalGroupsPolicyStrict)...)
	}
	return errs
}

const (
	sysctlPattern = `^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`
	maxSysctlName = 253
)

var sysctlName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(sysctlPattern) })

func validateSysctls(list []corev1.Sysctl, path *field.Path) (errs field.ErrorList) {
	seen := map[string]bool{}
	for i, s := range list {
		at := path.Index(i).Child("name")
		switch {
		case s.Name == "":
			errs = append(errs, field.Required(at, ""))
		case len(s.Name) > maxSysctlName || !sysctlName().MatchString(s.Name):
			errs = append(errs, field.Invalid(at, s.Name, fmt.Sprintf("must have at most %d characters and match regex %s", maxSysctlName, sysctlPattern)))
		case seen[s.Name]:
			errs = append(errs, field.Duplicate(at, s.Name))
		}
		seen[s.Name] = true
	}
	return errs
}
