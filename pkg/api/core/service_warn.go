package core

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func warnService(s, _ *corev1.Service) (warnings []string) {
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	spec, path := &s.Spec, field.NewPath("spec")
	headless := isHeadless(s) && spec.Type == corev1.ServiceTypeClusterIP
	if _, ok := s.Annotations[corev1.DeprecatedAnnotationTopologyAwareHints]; ok {
		warn("annotation %s is deprecated, please use %s instead", corev1.DeprecatedAnnotationTopologyAwareHints, corev1.AnnotationTopologyMode)
	}
	if !isHeadless(s) {
		warnings = append(warnings, warnIPs(path.Child("clusterIPs"), spec.ClusterIPs)...)
	}
	if headless && spec.LoadBalancerIP != "" {
		warn("spec.loadBalancerIP is ignored for headless services")
	}
	if headless && len(spec.ExternalIPs) > 0 {
		warn("spec.externalIPs is ignored for headless services")
	}
	if headless && spec.SessionAffinity != corev1.ServiceAffinityNone {
		warn("spec.SessionAffinity is ignored for headless services")
	}
	warnings = append(warnings, warnIPs(path.Child("externalIPs"), spec.ExternalIPs)...)
	if len(spec.ExternalIPs) > 0 && !headless && spec.Type != corev1.ServiceTypeExternalName {
		warn("spec.externalIPs is deprecated and may no longer be implemented in some clusters")
	}
	if spec.LoadBalancerIP != "" {
		warnings = append(warnings, validation.GetWarningsForIP(path.Child("loadBalancerIP"), spec.LoadBalancerIP)...)
	}
	for i, cidr := range spec.LoadBalancerSourceRanges {
		warnings = append(warnings, validation.GetWarningsForCIDR(path.Child("loadBalancerSourceRanges").Index(i), cidr)...)
	}
	if spec.Type == corev1.ServiceTypeExternalName && len(spec.ExternalIPs) > 0 {
		warn("spec.externalIPs is ignored when spec.type is %q", corev1.ServiceTypeExternalName)
	}
	if spec.Type != corev1.ServiceTypeExternalName && spec.ExternalName != "" {
		warn("spec.externalName is ignored when spec.type is not %q", corev1.ServiceTypeExternalName)
	}
	if ptr.Deref(spec.TrafficDistribution, "") == corev1.ServiceTrafficDistributionPreferClose {
		warn("spec.trafficDistribution: %q is deprecated; use %q", corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone)
	}
	return warnings
}

func warnIPs(path *field.Path, ips []string) (warnings []string) {
	for i, ip := range ips {
		if ip != "" {
			warnings = append(warnings, validation.GetWarningsForIP(path.Index(i), ip)...)
		}
	}
	return warnings
}
