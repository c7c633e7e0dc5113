package core

import (
	"fmt"
	"math"
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
	errs = append(errs, validateRestarted(s.ContainerStatuses, old.Status.ContainerStatuses, &old.Spec, path.Child("containerStatuses"))...)
	errs = append(errs, validatePodIPs(s.PodIPs, path.Child("podIPs"))...)
	return append(errs, validateUsers(s.ContainerStatuses, path.Child("containerStatuses"))...)
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

// validateRestarted refuses that a container comes back which has ended for good.
func validateRestarted(is, was []corev1.ContainerStatus, spec *corev1.PodSpec, path *field.Path) (errs field.ErrorList) {
	for i := range was {
		end := was[i].State.Terminated
		if end == nil {
			continue
		}
		at := slices.IndexFunc(is, func(s corev1.ContainerStatus) bool { return s.Name == was[i].Name })
		if at >= 0 && is[at].State.Terminated == nil && !mayRestart(spec, was[i].Name, end.ExitCode) {
			errs = append(errs, field.Forbidden(path.Index(i).Child("state"), "may not be transitioned to non-terminated state"))
		}
	}
	return errs
}

// mayRestart weighs the container's own rules and policy, then the pod's.
func mayRestart(spec *corev1.PodSpec, name string, code int32) bool {
	at := slices.IndexFunc(spec.Containers, func(c corev1.Container) bool { return c.Name == name })
	if at < 0 {
		return false
	}
	c, policy := &spec.Containers[at], string(spec.RestartPolicy)
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

func validatePodIPs(ips []corev1.PodIP, path *field.Path) (errs field.ErrorList) {
	for i := range ips {
		errs = append(errs, validation.IsValidIP(path.Index(i), ips[i].IP)...)
	}
	if len(ips) > 2 || len(ips) == 2 && familyOf(ips[0].IP) == familyOf(ips[1].IP) {
		errs = append(errs, field.Invalid(path, Internal{ips}, "may specify no more than one IP for each IP family"))
	}
	seen := map[string]bool{}
	for i := range ips {
		if seen[ips[i].IP] {
			errs = append(errs, field.Duplicate(path.Index(i), Internal{ips[i]}))
		}
		seen[ips[i].IP] = true
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
	for name, part := range map[string][2]corev1.ResourceList{
		"limits": {is.Resources.Limits, was.Resources.Limits}, "requests": {is.Resources.Requests, was.Resources.Requests},
	} {
		for resource := range part[1] {
			if _, ok := part[0][resource]; !ok {
				errs = append(errs, field.Forbidden(path.Child(name), fmt.Sprintf("resource %s cannot be removed", name)))
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
