package core

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// containerContext is what the rules of containers need to know of their pod.
type containerContext struct {
	spec    *corev1.PodSpec
	volumes map[string]corev1.VolumeSource
}

func (in containerContext) hostUsers() bool { return ptr.Deref(in.spec.HostUsers, true) }

func (in containerContext) containers(path *field.Path) (errs field.ErrorList) {
	if len(in.spec.Containers) == 0 {
		return field.ErrorList{field.Required(path, "")}
	}
	names := sets.New[string]()
	for i := range in.spec.Containers {
		c, at := &in.spec.Containers[i], path.Index(i)
		errs = append(errs, in.common(c, at)...)
		if names.Has(c.Name) {
			errs = append(errs, field.Duplicate(at.Child("name"), c.Name))
		}
		names.Insert(c.Name)
		errs = append(errs, in.hooks(c, at)...)
		errs = append(errs, validateRestartRules(c.RestartPolicy, c.RestartPolicyRules, at)...)
	}
	return append(errs, hostPortConflicts(in.spec.Containers, path)...)
}

func (in containerContext) initContainers(path *field.Path) (errs field.ErrorList) {
	names := sets.New[string]()
	for i := range in.spec.Containers {
		names.Insert(in.spec.Containers[i].Name)
	}
	for i := range in.spec.InitContainers {
		c, at := &in.spec.InitContainers[i], path.Index(i)
		errs = append(errs, in.common(c, at)...)
		if c.RestartPolicy == nil && len(c.RestartPolicyRules) > 0 {
			errs = append(errs, field.Required(at.Child("restartPolicy"), "must specify restartPolicy when restart rules are used"))
		} else {
			errs = append(errs, validateRestartRules(c.RestartPolicy, c.RestartPolicyRules, at)...)
		}
		if names.Has(c.Name) {
			errs = append(errs, field.Duplicate(at.Child("name"), c.Name))
		}
		if c.Name != "" {
			names.Insert(c.Name)
		}
		errs = append(errs, hostPortConflicts(in.spec.InitContainers[i:i+1], path)...)
		if isSidecar(c) {
			errs = append(errs, in.hooks(c, at)...)
			continue
		}
		const msg = "may not be set for init containers without restartPolicy=Always"
		if c.Lifecycle != nil {
			errs = append(errs, field.Forbidden(at.Child("lifecycle"), msg))
		}
		for _, p := range []namedProbe{{"livenessProbe", c.LivenessProbe}, {"readinessProbe", c.ReadinessProbe}, {"startupProbe", c.StartupProbe}} {
			if p.probe != nil {
				errs = append(errs, field.Forbidden(at.Child(p.name), msg))
			}
		}
		for j, p := range c.ResizePolicy {
			if p.RestartPolicy == corev1.RestartContainer {
				errs = append(errs, field.Invalid(at.Child("resizePolicy").Index(j).Child("restartPolicy"), p.RestartPolicy,
					"must not be set to 'RestartContainer' for non-sidecar initContainers"))
			}
		}
	}
	return errs
}

func (in containerContext) ephemeralContainers(path *field.Path) (errs field.ErrorList) {
	if len(in.spec.EphemeralContainers) == 0 {
		return nil
	}
	others := sets.New[string]()
	for _, list := range [][]corev1.Container{in.spec.Containers, in.spec.InitContainers} {
		for i := range list {
			others.Insert(list[i].Name)
		}
	}
	names := others.Clone()
	for i := range in.spec.EphemeralContainers {
		e, at := &in.spec.EphemeralContainers[i], path.Index(i)
		c := (*corev1.Container)(&e.EphemeralContainerCommon)
		errs = append(errs, in.common(c, at)...)
		errs = append(errs, validateImageSpace(c.Image, at)...)
		if names.Has(e.Name) {
			errs = append(errs, field.Duplicate(at.Child("name"), e.Name))
		}
		names.Insert(e.Name)
		if e.TargetContainerName != "" && !others.Has(e.TargetContainerName) {
			errs = append(errs, field.NotFound(at.Child("targetContainerName"), e.TargetContainerName))
		}
		errs = append(errs, forbidOnEphemeral(c, at)...)
	}
	return errs
}

// forbidOnEphemeral refuses what would make a container that is there to look into a pod a part of it.
func forbidOnEphemeral(c *corev1.Container, path *field.Path) (errs field.ErrorList) {
	const msg = "cannot be set for an Ephemeral Container"
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"ports", c.Ports != nil}, {"resources", c.Resources.Limits != nil || c.Resources.Requests != nil || c.Resources.Claims != nil},
		{"livenessProbe", c.LivenessProbe != nil}, {"readinessProbe", c.ReadinessProbe != nil},
		{"startupProbe", c.StartupProbe != nil}, {"lifecycle", c.Lifecycle != nil},
		{"resizePolicy", c.ResizePolicy != nil}, {"restartPolicy", c.RestartPolicy != nil}, {"restartPolicyRules", c.RestartPolicyRules != nil},
	} {
		if f.set {
			errs = append(errs, field.Forbidden(path.Child(f.name), msg))
		}
	}
	for i, m := range c.VolumeMounts {
		if m.SubPath != "" {
			errs = append(errs, field.Forbidden(path.Child("volumeMounts").Index(i).Child("subPath"), msg))
		}
		if m.SubPathExpr != "" {
			errs = append(errs, field.Forbidden(path.Child("volumeMounts").Index(i).Child("subPathExpr"), msg))
		}
	}
	return errs
}

// common judges what all three sorts of containers have.
func (in containerContext) common(c *corev1.Container, path *field.Path) (errs field.ErrorList) {
	if c.Name == "" {
		errs = append(errs, field.Required(path.Child("name"), ""))
	} else {
		errs = append(errs, ValidateLabelName(c.Name, path.Child("name"))...)
	}
	if c.Image == "" {
		errs = append(errs, field.Required(path.Child("image"), ""))
	}
	errs = append(errs, someOf(c.TerminationMessagePolicy, path.Child("terminationMessagePolicy"),
		corev1.TerminationMessageReadFile, corev1.TerminationMessageFallbackToLogsOnError)...)
	errs = append(errs, validateContainerPorts(c.Ports, path.Child("ports"))...)
	errs = append(errs, validateEnv(c.Env, path.Child("env"))...)
	errs = append(errs, validateEnvFrom(c.EnvFrom, path.Child("envFrom"))...)
	errs = append(errs, in.mounts(c, path.Child("volumeMounts"))...)
	errs = append(errs, in.devices(c, path.Child("volumeDevices"))...)
	errs = append(errs, someOf(c.ImagePullPolicy, path.Child("imagePullPolicy"), corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)...)
	errs = append(errs, in.resources(&c.Resources, path.Child("resources"))...)
	errs = append(errs, validateResizePolicy(c.ResizePolicy, in.spec.RestartPolicy, path.Child("resizePolicy"))...)
	return append(errs, validateSecurityContext(c.SecurityContext, in.hostUsers(), path.Child("securityContext"))...)
}

func validateContainerPorts(ports []corev1.ContainerPort, path *field.Path) (errs field.ErrorList) {
	names := sets.New[string]()
	for i, p := range ports {
		at := path.Index(i)
		if p.Name != "" {
			bad := invalid(at.Child("name"), p.Name, validation.IsValidPortName(p.Name), "")
			if len(bad) == 0 && names.Has(p.Name) {
				bad = field.ErrorList{field.Duplicate(at.Child("name"), p.Name)}
			}
			names.Insert(p.Name)
			errs = append(errs, bad...)
		}
		if p.ContainerPort == 0 {
			errs = append(errs, field.Required(at.Child("containerPort"), ""))
		} else {
			errs = append(errs, validatePort(p.ContainerPort, at.Child("containerPort"))...)
		}
		if p.HostPort != 0 {
			errs = append(errs, validatePort(p.HostPort, at.Child("hostPort"))...)
		}
		errs = append(errs, ValidateProtocol(p.Protocol, at.Child("protocol"))...)
	}
	return errs
}

// hostPortConflicts finds ports of the host that two containers of one pod ask for.
func hostPortConflicts(containers []corev1.Container, path *field.Path) (errs field.ErrorList) {
	taken := sets.New[string]()
	for i := range containers {
		for j, p := range containers[i].Ports {
			if p.HostPort == 0 {
				continue
			}
			key := fmt.Sprintf("%s/%s/%d", p.Protocol, p.HostIP, p.HostPort)
			if taken.Has(key) {
				errs = append(errs, field.Duplicate(path.Index(i).Child("ports").Index(j).Child("hostPort"), key))
			}
			taken.Insert(key)
		}
	}
	return errs
}

func validateImageSpace(image string, path *field.Path) field.ErrorList {
	if strings.TrimSpace(image) == image {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("image"), image, "must not have leading or trailing whitespace")}
}

// Limits of a container's own restart rules.
const (
	maxRestartRules = 20
	maxExitCodes    = 255
)

func validateRestartRules(policy *corev1.ContainerRestartPolicy, rules []corev1.ContainerRestartRule, path *field.Path) (errs field.ErrorList) {
	at := path.Child("restartPolicy")
	switch {
	case policy != nil:
		errs = append(errs, oneOf(*policy, at, corev1.ContainerRestartPolicyAlways, corev1.ContainerRestartPolicyNever, corev1.ContainerRestartPolicyOnFailure)...)
	case len(rules) > 0:
		errs = append(errs, field.Required(at, "must specify restartPolicy when restart rules are used"))
	}
	if len(rules) > maxRestartRules {
		errs = append(errs, field.TooMany(path.Child("restartPolicyRules"), len(rules), maxRestartRules))
	}
	for i, r := range rules {
		rule := path.Child("restartPolicyRules").Index(i)
		errs = append(errs, oneOf(r.Action, rule.Child("action"), corev1.ContainerRestartRuleActionRestart, corev1.ContainerRestartRuleActionRestartAllContainers)...)
		if r.ExitCodes == nil {
			errs = append(errs, field.Required(rule.Child("exitCodes"), "must be specified"))
			continue
		}
		errs = append(errs, oneOf(r.ExitCodes.Operator, rule.Child("exitCodes", "operator"),
			corev1.ContainerRestartRuleOnExitCodesOpIn, corev1.ContainerRestartRuleOnExitCodesOpNotIn)...)
		if n := len(r.ExitCodes.Values); n > maxExitCodes {
			errs = append(errs, field.TooMany(rule.Child("exitCodes", "values"), n, maxExitCodes))
		}
	}
	return errs
}
