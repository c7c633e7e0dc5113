package core

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	resourcehelper "k8s.io/component-helpers/resource"
)

// validateQuantity judges the amount of a resource: not negative, and whole where the resource comes in pieces.
func validateQuantity(name corev1.ResourceName, q resource.Quantity, path *field.Path) (errs field.ErrorList) {
	if q.Sign() < 0 {
		errs = append(errs, field.Invalid(path, q.String(), "must be greater than or equal to 0"))
	}
	if isInteger(name) && q.MilliValue()%1000 != 0 {
		errs = append(errs, field.Invalid(path, q, "must be an integer"))
	}
	return errs
}

// isInteger says whether a resource is counted in pieces: pods and other objects, and extended resources.
func isInteger(name corev1.ResourceName) bool {
	switch name {
	case corev1.ResourcePods, corev1.ResourceQuotas, corev1.ResourceServices, corev1.ResourceReplicationControllers,
		corev1.ResourceSecrets, corev1.ResourceConfigMaps, corev1.ResourcePersistentVolumeClaims,
		corev1.ResourceServicesNodePorts, corev1.ResourceServicesLoadBalancers:
		return true
	}
	return isExtended(name)
}

// isExtended says whether a name is that of an extended resource: with a domain of its own.
func isExtended(name corev1.ResourceName) bool {
	return !isNative(name) && !strings.HasPrefix(string(name), "requests.") && len(validation.IsQualifiedName("requests."+string(name))) == 0
}

func isNative(name corev1.ResourceName) bool {
	return !strings.Contains(string(name), "/") || strings.Contains(string(name), corev1.ResourceDefaultNamespacePrefix)
}

// mayOvercommit says whether more may be limited than requested.
func mayOvercommit(name corev1.ResourceName) bool { return isNative(name) && !isHugePages(name) }

func (in containerContext) resources(r *corev1.ResourceRequirements, path *field.Path) field.ErrorList {
	errs := validateRequirements(r, validateContainerResource, path)
	var known []string
	for i := range in.spec.ResourceClaims {
		known = append(known, in.spec.ResourceClaims[i].Name)
	}
	slices.Sort(known)
	for i, c := range r.Claims {
		at := path.Child("claims").Index(i)
		switch {
		case c.Name == "":
			errs = append(errs, field.Required(at, ""))
		case !slices.Contains(known, c.Name):
			missing := field.NotFound(at, c.Name)
			missing.Detail = "must be one of the names in pod.spec.resourceClaims which is empty"
			if len(known) > 0 {
				missing.Detail = "must be one of the names in pod.spec.resourceClaims: " + strings.Join(known, ", ")
			}
			errs = append(errs, missing)
		}
	}
	return errs
}

func validateRequirements(r *corev1.ResourceRequirements, name func(corev1.ResourceName, *field.Path) field.ErrorList, path *field.Path) (errs field.ErrorList) {
	limits, requests := path.Child("limits"), path.Child("requests")
	hugePages, basics := false, false
	note := func(n corev1.ResourceName) {
		hugePages = hugePages || isHugePages(n)
		basics = basics || n == corev1.ResourceCPU || n == corev1.ResourceMemory
	}
	for _, n := range slices.Sorted(maps.Keys(r.Limits)) {
		errs = append(errs, name(n, limits.Key(string(n)))...)
		errs = append(errs, validateQuantity(n, r.Limits[n], limits.Key(string(n)))...)
		note(n)
	}
	for _, n := range slices.Sorted(maps.Keys(r.Requests)) {
		q := r.Requests[n]
		errs = append(errs, name(n, requests.Key(string(n)))...)
		errs = append(errs, validateQuantity(n, q, requests.Key(string(n)))...)
		limit, limited := r.Limits[n]
		switch {
		case !limited:
			if !mayOvercommit(n) {
				errs = append(errs, field.Required(limits, "Limit must be set for non overcommitable resources"))
			}
		case q.Cmp(limit) != 0 && !mayOvercommit(n):
			errs = append(errs, field.Invalid(requests, q.String(), fmt.Sprintf("must be equal to %s limit of %s", n, limit.String())))
		case q.Cmp(limit) > 0:
			errs = append(errs, field.Invalid(requests, q.String(), fmt.Sprintf("must be less than or equal to %s limit of %s", n, limit.String())))
		}
		note(n)
	}
	if hugePages && !basics {
		errs = append(errs, field.Forbidden(path, "HugePages require cpu or memory"))
	}
	return errs
}

// validateContainerResource judges the name of what a container asks for: cpu, memory, storage, huge pages, or something
// with a domain.
func validateContainerResource(name corev1.ResourceName, path *field.Path) field.ErrorList {
	domain := strings.Contains(string(name), "/")
	if errs := invalid(path, name, validation.IsQualifiedName(string(name)), ""); len(errs) > 0 {
		if !domain {
			return append(errs, field.Invalid(path, name, "must be a standard resource for containers"))
		}
		if !isNative(name) {
			errs = append(errs, field.Invalid(path, name, "doesn't follow extended resource name standard"))
		}
		return errs
	}
	switch {
	case domain && !isNative(name):
		if !isExtended(name) {
			return field.ErrorList{field.Invalid(path, name, "doesn't follow extended resource name standard")}
		}
	case !domain && !isStandard(name):
		errs := field.ErrorList{field.Invalid(path, name, "must be a standard resource type or fully qualified")}
		return append(errs, field.Invalid(path, name, "must be a standard resource for containers"))
	case !domain && !isContainerResource(name):
		return field.ErrorList{field.Invalid(path, name, "must be a standard resource for containers")}
	}
	return nil
}

func isContainerResource(name corev1.ResourceName) bool {
	return name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage || isHugePages(name)
}

// isStandard says whether a name without a domain is one that quotas or containers know.
func isStandard(name corev1.ResourceName) bool {
	if isContainerResource(name) || isInteger(name) || strings.HasPrefix(string(name), "requests."+corev1.ResourceHugePagesPrefix) {
		return true
	}
	switch name {
	case corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory, corev1.ResourceRequestsEphemeralStorage, corev1.ResourceLimitsCPU,
		corev1.ResourceLimitsMemory, corev1.ResourceLimitsEphemeralStorage, corev1.ResourceRequestsStorage, corev1.ResourceStorage:
		return true
	}
	return false
}

// validatePodResources judges the resources of the pod as a whole, which must suffice for its containers.
func validatePodResources(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	r := s.Resources
	if r == nil {
		return nil
	}
	var errs field.ErrorList
	if r.Claims != nil {
		errs = append(errs, field.Forbidden(path.Child("claims"), "claims may not be set for Resources at pod-level"))
	}
	errs = append(errs, validateRequirements(r, func(n corev1.ResourceName, at *field.Path) field.ErrorList {
		if bad := validateContainerResource(n, at); len(bad) > 0 || resourcehelper.IsSupportedPodLevelResource(n) {
			return bad
		}
		return field.ErrorList{field.NotSupported(at, n, slices.Sorted(maps.Keys(resourcehelper.SupportedPodLevelResources())))}
	}, path)...)
	sums := resourcehelper.AggregateContainerRequests(&corev1.Pod{Spec: *s}, resourcehelper.PodResourcesOptions{})
	for _, n := range slices.Sorted(maps.Keys(r.Requests)) {
		q := r.Requests[n]
		if sum, ok := sums[n]; ok && sum.Cmp(q) > 0 {
			errs = append(errs, field.Invalid(path.Child("requests").Key(string(n)), q.String(), fmt.Sprintf("must be greater than or equal to aggregate container requests of %s", sum.String())))
		}
	}
	for i := range s.Containers {
		for _, n := range slices.Sorted(maps.Keys(s.Containers[i].Resources.Limits)) {
			q := s.Containers[i].Resources.Limits[n]
			if limit, ok := r.Limits[n]; ok && q.Cmp(limit) > 0 {
				errs = append(errs, field.Invalid(path.Child("containers").Index(i).Key(string(n)).Child("limits"), q.String(), fmt.Sprintf("must be less than or equal to pod limits of %s", limit.String())))
			}
		}
	}
	return errs
}

func validateResizePolicy(list []corev1.ContainerResizePolicy, restart corev1.RestartPolicy, path *field.Path) (errs field.ErrorList) {
	seen := map[corev1.ResourceName]bool{}
	for i, p := range list {
		if seen[p.ResourceName] {
			errs = append(errs, field.Duplicate(path.Index(i), p.ResourceName))
		}
		seen[p.ResourceName] = true
		errs = append(errs, someOf(p.ResourceName, path, corev1.ResourceCPU, corev1.ResourceMemory)...)
		errs = append(errs, someOf(p.RestartPolicy, path, corev1.NotRequired, corev1.RestartContainer)...)
		if restart == corev1.RestartPolicyNever && p.RestartPolicy != corev1.NotRequired {
			errs = append(errs, field.Invalid(path, p.RestartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
		}
	}
	return errs
}
