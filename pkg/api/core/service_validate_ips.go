package core

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// validateClusterIPs judges the addresses, their families and the policy, each for itself and against one another.
func validateClusterIPs(s, old *corev1.Service, path *field.Path) (errs field.ErrorList) {
	if s.Spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	ips, at := s.Spec.ClusterIPs, path.Child("clusterIPs")
	switch {
	case s.Spec.ClusterIP == "" && len(ips) > 0:
		errs = append(errs, field.Invalid(at, ips, "must be empty when `clusterIP` is not specified"))
	case s.Spec.ClusterIP != "" && len(ips) == 0:
		errs = append(errs, field.Required(at, ""))
	case s.Spec.ClusterIP != "" && ips[0] != s.Spec.ClusterIP:
		errs = append(errs, field.Invalid(at, ips, "first value must match `clusterIP`"))
	}
	errs = append(errs, validateFamilies(s, path)...)

	var existing []string
	if old != nil {
		existing = old.Spec.ClusterIPs
	}
	bad := validateIPList(ips, existing, at)
	if errs = append(errs, bad...); len(bad) > 0 {
		return errs
	}
	if len(ips) > 2 {
		errs = append(errs, field.Invalid(at, ips, "may only hold up to 2 values"))
	}
	if len(ips) > 1 && (len(ips) > 2 || familyOf(ips[0]) == familyOf(ips[1])) {
		errs = append(errs, field.Invalid(at, ips, "may specify no more than one IP for each IP family"))
	}
	if isHeadless(s) {
		return errs
	}
	for i, ip := range ips {
		if i >= len(s.Spec.IPFamilies) {
			break
		}
		if f := s.Spec.IPFamilies[i]; f != familyOf(ip) && (f == corev1.IPv4Protocol || f == corev1.IPv6Protocol) {
			errs = append(errs, field.Invalid(at.Index(i), ip, fmt.Sprintf("expected an %s value as indicated by `ipFamilies[%v]`", f, i)))
		}
	}
	return errs
}

func validateIPList(ips, existing []string, path *field.Path) (errs field.ErrorList) {
	for i, ip := range ips {
		switch {
		case i == 0 && ip == corev1.ClusterIPNone:
			if len(ips) > 1 {
				errs = append(errs, field.Invalid(path, ips, "'None' must be the first and only value"))
			}
		case !slices.Contains(existing, ip):
			errs = append(errs, validation.IsValidIP(path.Index(i), ip)...)
		}
	}
	return errs
}

func validateFamilies(s *corev1.Service, path *field.Path) (errs field.ErrorList) {
	seen := map[corev1.IPFamily]bool{}
	for i, f := range s.Spec.IPFamilies {
		at := path.Child("ipFamilies").Index(i)
		errs = append(errs, oneOf(f, at, corev1.IPv4Protocol, corev1.IPv6Protocol)...)
		if seen[f] {
			errs = append(errs, field.Duplicate(at, f))
		}
		seen[f] = true
	}
	if p := s.Spec.IPFamilyPolicy; p != nil {
		errs = append(errs, oneOf(*p, path.Child("ipFamilyPolicy"),
			corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicyRequireDualStack, corev1.IPFamilyPolicySingleStack)...)
	}
	return errs
}

// validateServiceChange judges an update: the primary address, its family and the class of a balancer stay for life.
func validateServiceChange(s, old *corev1.Service) (errs field.ErrorList) {
	path := field.NewPath("spec")
	if needsClusterIP(s) && needsClusterIP(old) {
		headless, was := isHeadless(s), isHeadless(old)
		if !headless || !was {
			errs = append(errs, keptIPs(s, old, path)...)
		}
		if !headless && !was {
			errs = append(errs, keptFamilies(s, old, path)...)
		}
	}
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer && old.Spec.Type == corev1.ServiceTypeLoadBalancer &&
		!ptr.Equal(s.Spec.LoadBalancerClass, old.Spec.LoadBalancerClass) {
		errs = append(errs, field.Invalid(path.Child("loadBalancerClass"), s.Spec.LoadBalancerClass, "may not change once set"))
	}
	if NeedsHealthPort(s) && NeedsHealthPort(old) && s.Spec.HealthCheckNodePort != old.Spec.HealthCheckNodePort {
		errs = append(errs, field.Forbidden(path.Child("healthCheckNodePort"), "field is immutable"))
	}
	return errs
}

func keptIPs(s, old *corev1.Service, path *field.Path) (errs field.ErrorList) {
	is, was, at := s.Spec.ClusterIPs, old.Spec.ClusterIPs, path.Child("clusterIPs")
	if len(is) == len(was) {
		for i := range is {
			if is[i] != was[i] {
				errs = append(errs, field.Invalid(at.Index(i), is, "may not change once set"))
			}
		}
		return errs
	}
	if len(is) == 0 {
		return field.ErrorList{field.Invalid(at.Index(0), is, "primary clusterIP can not be unset")}
	}
	if len(was) > 0 && is[0] != was[0] {
		errs = append(errs, field.Invalid(at.Index(0), is, "may not change once set"))
	}
	if len(is) == 1 && len(was) > 1 && ptr.Deref(s.Spec.IPFamilyPolicy, "") != corev1.IPFamilyPolicySingleStack {
		errs = append(errs, field.Invalid(path.Child("ipFamilyPolicy"), s.Spec.IPFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary clusterIP"))
	}
	return errs
}

func keptFamilies(s, old *corev1.Service, path *field.Path) (errs field.ErrorList) {
	is, was, at := s.Spec.IPFamilies, old.Spec.IPFamilies, path.Child("ipFamilies").Index(0)
	if len(is) == len(was) {
		for i := range is {
			if is[i] != was[i] {
				errs = append(errs, field.Invalid(at, is, "may not change once set"))
			}
		}
		return errs
	}
	if len(is) > 0 && len(was) > 0 && is[0] != was[0] {
		errs = append(errs, field.Invalid(at, s.Spec.ClusterIPs, "may not change once set"))
	}
	if len(is) == 1 && len(was) > 1 && ptr.Deref(s.Spec.IPFamilyPolicy, "") != corev1.IPFamilyPolicySingleStack {
		errs = append(errs, field.Invalid(path.Child("ipFamilyPolicy"), s.Spec.IPFamilyPolicy, "must be set to 'SingleStack' when releasing the secondary ipFamily"))
	}
	return errs
}
