package core

import (
	"fmt"
	"math"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validatePodStatus(p, old *corev1.Pod) field.ErrorList {
	errs := ValidateMetaUpdate(&p.ObjectMeta, &old.ObjectMeta)
	path, s := field.NewPath("status"), &p.Status
	errs = append(errs, validateConditions(s.Conditions, path.Child("conditions"))...)
	if name := s.NominatedNodeName; name != "" && name != old.Status.NominatedNodeName {
		at := path.Child("nominatedNodeName")
		errs = append(errs, ValidateNodeName(name, at)...)
		if old.Spec.NodeName != "" {
			errs = append(errs, field.Forbidden(at, "may not be set on pods that are already bound to a node"))
		}
	}
	if s.ObservedGeneration < 0 {
		errs = append(errs, field.Invalid(path.Child("observedGeneration"), s.ObservedGeneration, "must be a non-negative integer"))
	}
	errs = append(errs, apivalidation.ValidateImmutableField(s.QOSClass, old.Status.QOSClass, path.Child("qosClass"))...)
	errs = append(errs, validateRestarts(s, &old.Status, &old.Spec, path)...)
	errs = append(errs, validatePodIPs(s, &old.Status, path.Child("podIPs"))...)
	errs = append(errs, validateHostIPs(s, &old.Status, path.Child("hostIPs"))...)
	errs = append(errs, validateUsers(s.ContainerStatuses, path.Child("containerStatuses"))...)
	errs = append(errs, validateUsers(s.InitContainerStatuses, path.Child("initContainerStatuses"))...)
	return append(errs, validateUsers(s.EphemeralContainerStatuses, path.Child("ephemeralContainerStatuses"))...)
}

func validateConditions(list []corev1.PodCondition, path *field.Path) (errs field.ErrorList) {
	for i, c := range list {
		if c.ObservedGeneration < 0 {
			errs = append(errs, field.Invalid(path.Index(i).Child("observedGeneration"), c.ObservedGeneration, "must be a non-negative integer"))
		}
		errs = append(errs, ValidateQualified(string(c.Type), path.Index(i).Child("Type"))...)
	}
	return errs
}

// validateRestarts refuses that a container comes back which has ended for good.
func validateRestarts(is, was *corev1.PodStatus, spec *corev1.PodSpec, path *field.Path) (errs field.ErrorList) {
	if !restartsAll(spec) {
		errs = append(errs, validateRestarted(is.ContainerStatuses, was.ContainerStatuses, path.Child("containerStatuses"),
			func(name string, code int32) bool { return mayRestart(spec, spec.Containers, name, code) })...)
		errs = append(errs, validateRestarted(is.InitContainerStatuses, was.InitContainerStatuses, path.Child("initContainerStatuses"),
			func(name string, code int32) bool { return mayRestart(spec, spec.InitContainers, name, code) })...)
	}
	return append(errs, validateRestarted(is.EphemeralContainerStatuses, was.EphemeralContainerStatuses, path.Child("ephemeralContainerStatuses"),
		func(string, int32) bool { return false })...)
}

func validateRestarted(is, was []corev1.ContainerStatus, path *field.Path, may func(name string, code int32) bool) (errs field.ErrorList) {
	for i := range was {
		end := was[i].State.Terminated
		if end == nil {
			continue
		}
		at := slices.IndexFunc(is, func(s corev1.ContainerStatus) bool { return s.Name == was[i].Name && s.State.Terminated == nil })
		if at >= 0 && !may(was[i].Name, end.ExitCode) {
			errs = append(errs, field.Forbidden(path.Index(i).Child("state"), "may not be transitioned to non-terminated state"))
		}
	}
	return errs
}

// restartsAll says whether the end of one container may start all again.
func restartsAll(spec *corev1.PodSpec) bool {
	found := false
	eachContainer(spec, func(c *corev1.Container) {
		for _, r := range c.RestartPolicyRules {
			found = found || r.Action == corev1.ContainerRestartRuleActionRestartAllContainers
		}
	})
	return found
}

// mayRestart weighs the container's own rules and policy, then the pod's.
func mayRestart(spec *corev1.PodSpec, list []corev1.Container, name string, code int32) bool {
	at := slices.IndexFunc(list, func(c corev1.Container) bool { return c.Name == name })
	if at < 0 {
		return false
	}
	c, policy := &list[at], string(spec.RestartPolicy)
	for _, r := range c.RestartPolicyRules {
		if r.ExitCodes == nil {
			continue
		}
		in := slices.Contains(r.ExitCodes.Values, code)
		if in == (r.ExitCodes.Operator == corev1.ContainerRestartRuleOnExitCodesOpIn) {
			return true
		}
	}
	if c.RestartPolicy != nil {
		policy = string(*c.RestartPolicy)
	}
	return policy == string(corev1.RestartPolicyAlways) || policy == string(corev1.RestartPolicyOnFailure) && code != 0
}

func validatePodIPs(s, old *corev1.PodStatus, path *field.Path) field.ErrorList {
	ips, existing := make([]string, len(s.PodIPs)), make([]string, len(old.PodIPs))
	for i := range s.PodIPs {
		ips[i] = s.PodIPs[i].IP
	}
	for i := range old.PodIPs {
		existing[i] = old.PodIPs[i].IP
	}
	errs := validateIPPair(ips, existing, Internal{s.PodIPs}, path)
	switch {
	case (s.PodIP != "") != (len(ips) > 0):
		errs = append(errs, field.Invalid(path, Internal{s.PodIPs}, "podIP and podIPs must either both be set or both be unset"))
	case len(ips) > 0 && s.PodIP != ips[0]:
		errs = append(errs, field.Invalid(path.Index(0).Child("ip"), ips[0], "must be equal to `podIP`"))
	}
	return errs
}

func validateHostIPs(s, old *corev1.PodStatus, path *field.Path) (errs field.ErrorList) {
	if len(s.HostIPs) == 0 {
		return nil
	}
	ips, existing := make([]string, len(s.HostIPs)), make([]string, len(old.HostIPs))
	for i := range s.HostIPs {
		ips[i] = s.HostIPs[i].IP
	}
	for i := range old.HostIPs {
		existing[i] = old.HostIPs[i].IP
	}
	if s.HostIP != ips[0] {
		errs = append(errs, field.Invalid(path.Index(0).Child("ip"), ips[0], "must be equal to `hostIP`"))
	}
	return append(errs, validateIPPair(ips, existing, Internal{s.HostIPs}, path)...)
}

// validateIPPair judges the addresses of one thing: one of each family at most. Those it had before are sound enough.
func validateIPPair(ips, existing []string, shown any, path *field.Path) (errs field.ErrorList) {
	for i, ip := range ips {
		if !slices.Contains(existing, ip) {
			errs = append(errs, validation.IsValidIP(path.Index(i), ip)...)
		}
	}
	if len(ips) < 2 {
		return errs
	}
	var four, six bool
	for i, ip := range ips {
		a, err := netip.ParseAddr(ip)
		if err != nil {
			four, six = false, false
			errs = append(errs, field.InternalError(path, fmt.Errorf("failed to check for dual stack with error:invalid IP[%d]: %s", i, ip)))
			break
		}
		four, six = four || a.Is4(), six || a.Is6()
	}
	if !four || !six || len(ips) > 2 {
		errs = append(errs, field.Invalid(path, shown, "may specify no more than one IP for each IP family"))
	}
	return errs
}

func validateUsers(list []corev1.ContainerStatus, path *field.Path) (errs field.ErrorList) {
	for i := range list {
		if list[i].User == nil || list[i].User.Linux == nil {
			continue
		}
		u, at := list[i].User.Linux, path.Index(i).Child("user", "linux")
		if u.UID < 0 || u.UID > math.MaxUint32 {
			errs = append(errs, field.Invalid(at.Child("uid"), u.UID, fmt.Sprintf("must be between 0 and %d, inclusive", int64(math.MaxUint32))))
		}
		errs = append(errs, invalid(at.Child("gid"), u.GID, validation.IsValidGroupID(u.GID), "")...)
		for j, g := range u.SupplementalGroups {
			errs = append(errs, invalid(at.Child("supplementalGroups").Index(j), g, validation.IsValidGroupID(g), "")...)
		}
	}
	return errs
}

// validatePodResize allows cpu and memory of containers to change, within the pod's quality class.
func validatePodResize(p, old *corev1.Pod) field.ErrorList {
	errs := ValidateMetaUpdate(&p.ObjectMeta, &old.ObjectMeta)
	errs = append(errs, validateWholePod(p)...)
	spec := field.NewPath("spec")
	class := old.Status.QOSClass
	orElse(&class, PodQOS(old))
	if class != PodQOS(p) {
		errs = append(errs, field.Invalid(spec, p.Status.QOSClass, "Pod QOS Class may not change as a result of resizing"))
	}
	if !nodeResizes(old) {
		errs = append(errs, field.Forbidden(spec, "Pod running on node without support for resize"))
	}
	order := validateSameNames(p.Spec.Containers, old.Spec.Containers, "containers", spec)
	order = append(order, validateSameNames(p.Spec.InitContainers, old.Spec.InitContainers, "initContainers", spec)...)
	if len(order) > 0 {
		return append(errs, order...)
	}
	for i := range old.Spec.Containers {
		errs = append(errs, validateContainerResize(&p.Spec.Containers[i], &old.Spec.Containers[i], spec.Child("containers").Index(i).Child("resources"))...)
	}
	for i := range old.Spec.InitContainers {
		is, was := &p.Spec.InitContainers[i], &old.Spec.InitContainers[i]
		if isSidecar(was) {
			errs = append(errs, validateContainerResize(is, was, spec.Child("initContainers").Index(i).Child("resources"))...)
		} else if !apiequality.Semantic.DeepEqual(is, was) {
			errs = append(errs, field.Forbidden(spec, "resources for non-sidecar init containers are immutable"))
		}
	}
	return errs
}

// nodeResizes says whether the node tells what its running containers have, without which no one could tell that a
// resize was done.
func nodeResizes(p *corev1.Pod) bool {
	for i := range p.Status.ContainerStatuses {
		if c := &p.Status.ContainerStatuses[i]; c.State.Running != nil {
			return c.Resources != nil
		}
	}
	return true
}

func validateSameNames(is, was []corev1.Container, name string, spec *field.Path) (errs field.ErrorList) {
	if len(is) != len(was) {
		return field.ErrorList{field.Forbidden(spec.Child(name), name+" may not be added or removed on resize")}
	}
	for i := range was {
		if is[i].Name != was[i].Name {
			errs = append(errs, field.Forbidden(spec.Child(name).Index(i).Child("name"), name+" may not be renamed or reordered on resize"))
		}
	}
	return errs
}

func validateContainerResize(is, was *corev1.Container, path *field.Path) (errs field.ErrorList) {
	for _, part := range []struct {
		name    string
		is, was corev1.ResourceList
	}{{"requests", is.Resources.Requests, was.Resources.Requests}, {"limits", is.Resources.Limits, was.Resources.Limits}} {
		for resource := range part.was {
			if _, ok := part.is[resource]; !ok {
				errs = append(errs, field.Forbidden(path.Child(part.name), fmt.Sprintf("resource %s cannot be removed", part.name)))
				break
			}
		}
	}
	same := is.DeepCopy()
	same.ResizePolicy = was.ResizePolicy
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		same.Resources.Limits = like(same.Resources.Limits, was.Resources.Limits, name)
		same.Resources.Requests = like(same.Resources.Requests, was.Resources.Requests, name)
	}
	if !apiequality.Semantic.DeepEqual(same, was) {
		errs = append(errs, field.Forbidden(field.NewPath("spec"), "only cpu and memory resources are mutable"))
	}
	return errs
}

// like gives list with the entry of a name as was has it.
func like(list, was corev1.ResourceList, name corev1.ResourceName) corev1.ResourceList {
	q, ok := was[name]
	if !ok {
		delete(list, name)
		return list
	}
	if list == nil {
		list = corev1.ResourceList{}
	}
	list[name] = q
	return list
}
