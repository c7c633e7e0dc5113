package core

import (
	"fmt"
	"math"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// ValidatePodTemplate judges the pod template of a workload; old is nil on create.
func ValidatePodTemplate(t, _ *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	errs := metavalidation.ValidateLabels(t.Labels, path.Child("labels"))
	errs = append(errs, apivalidation.ValidateAnnotations(t.Annotations, path.Child("annotations"))...)
	errs = append(errs, validatePodAnnotations(t.Annotations, &t.Spec, path.Child("annotations"))...)
	errs = append(errs, validatePodSpec(&t.Spec, nil, path.Child("spec"))...)
	if len(t.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(path.Child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"))
	}
	return errs
}

// validatePodSpec judges a spec. meta is nil where the spec is part of a template, for which some rules are looser.
func validatePodSpec(s *corev1.PodSpec, meta *metav1.ObjectMeta, path *field.Path) (errs field.ErrorList) {
	if s.TerminationGracePeriodSeconds == nil {
		errs = append(errs, field.Required(path.Child("terminationGracePeriodSeconds"), ""))
	}
	volumes, bad := validateVolumes(s.Volumes, path.Child("volumes"))
	errs = append(errs, bad...)
	in := containerContext{spec: s, volumes: volumes}
	errs = append(errs, in.containers(path.Child("containers"))...)
	errs = append(errs, in.initContainers(path.Child("initContainers"))...)
	errs = append(errs, in.ephemeralContainers(path.Child("ephemeralContainers"))...)
	errs = append(errs, validatePodResources(s, path.Child("resources"))...)
	errs = append(errs, validateHostPorts(s, meta != nil, path.Child("containers"))...)
	errs = append(errs, someOf(s.RestartPolicy, path.Child("restartPolicy"), corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever)...)
	errs = append(errs, someOf(s.DNSPolicy, path.Child("dnsPolicy"),
		corev1.DNSClusterFirstWithHostNet, corev1.DNSClusterFirst, corev1.DNSDefault, corev1.DNSNone)...)
	errs = append(errs, metavalidation.ValidateLabels(s.NodeSelector, path.Child("nodeSelector"))...)
	errs = append(errs, validatePodSecurity(s, path)...)
	errs = append(errs, validateAffinity(s.Affinity, path.Child("affinity"))...)
	errs = append(errs, validateDNSConfig(s, path.Child("dnsConfig"))...)
	errs = append(errs, validateGates(s, path)...)
	errs = append(errs, validateSpread(s.TopologySpreadConstraints, path.Child("topologySpreadConstraints"))...)
	errs = append(errs, validatePodNames(s, path)...)
	if d := s.ActiveDeadlineSeconds; d != nil && (*d < 1 || *d > math.MaxInt32) {
		errs = append(errs, field.Invalid(path.Child("activeDeadlineSeconds"), *d, validation.InclusiveRangeError(1, math.MaxInt32)))
	}
	errs = append(errs, validateTolerations(s.Tolerations, path.Child("tolerations"))...)
	errs = append(errs, validateHostAliases(s.HostAliases, path.Child("hostAliases"))...)
	if s.PreemptionPolicy != nil {
		errs = append(errs, someOf(*s.PreemptionPolicy, path.Child("preemptionPolicy"), corev1.PreemptLowerPriority, corev1.PreemptNever)...)
	}
	if s.OS != nil {
		errs = append(errs, validateOS(s.OS, path.Child("os"))...)
	}
	return errs
}

// validatePodNames judges the names of other things in a spec, and the pod's own host name.
func validatePodNames(s *corev1.PodSpec, path *field.Path) (errs field.ErrorList) {
	if name := s.HostnameOverride; name != nil {
		at := path.Child("hostnameOverride")
		if ptr.Deref(s.SetHostnameAsFQDN, false) {
			errs = append(errs, field.Forbidden(at, "may not be specified when setHostnameAsFQDN is true"))
		}
		if s.HostNetwork {
			errs = append(errs, field.Forbidden(at, "may not be specified when hostNetwork is true"))
		}
		if len(*name) > 64 {
			errs = append(errs, field.TooLong(at, "", 64))
		}
		errs = append(errs, invalid(at, *name, validation.IsDNS1123Subdomain(*name), "")...)
	}
	subdomain := func(name, field string) {
		if name != "" {
			errs = append(errs, invalid(path.Child(field), name, apivalidation.NameIsDNSSubdomain(name, false), "")...)
		}
	}
	subdomain(s.ServiceAccountName, "serviceAccountName")
	subdomain(s.NodeName, "nodeName")
	if s.Hostname != "" {
		errs = append(errs, ValidateLabelName(s.Hostname, path.Child("hostname"))...)
	}
	if s.Subdomain != "" {
		errs = append(errs, ValidateLabelName(s.Subdomain, path.Child("subdomain"))...)
	}
	subdomain(s.PriorityClassName, "priorityClassName")
	if name := s.RuntimeClassName; name != nil {
		errs = append(errs, invalid(path.Child("runtimeClassName"), *name, apivalidation.NameIsDNSSubdomain(*name, false), "")...)
	}
	return errs
}

func validateOS(os *corev1.PodOS, path *field.Path) field.ErrorList {
	if os.Name == "" {
		return field.ErrorList{field.Required(path.Child("name"), "")}
	}
	return oneOf(os.Name, path, corev1.Linux, corev1.Windows)
}

// validateHostPorts asks that containers on the host's network publish the ports they listen on. In a template a port may
// be left out, as the pod's defaults will fill it in.
func validateHostPorts(s *corev1.PodSpec, isPod bool, path *field.Path) (errs field.ErrorList) {
	if !s.HostNetwork {
		return nil
	}
	for i := range s.Containers {
		for j, p := range s.Containers[i].Ports {
			if (isPod || p.HostPort != 0) && p.HostPort != p.ContainerPort {
				errs = append(errs, field.Invalid(path.Index(i).Child("ports").Index(j).Child("hostPort"), p.HostPort, "must match `containerPort` when `hostNetwork` is true"))
			}
		}
	}
	return errs
}

// Limits of what a resolver's configuration may hold.
const (
	maxNameservers = 3
	maxSearches    = 32
	maxSearchChars = 2048
)

func validateDNSConfig(s *corev1.PodSpec, path *field.Path) (errs field.ErrorList) {
	c := s.DNSConfig
	if s.DNSPolicy == corev1.DNSNone {
		if c == nil {
			return field.ErrorList{field.Required(path, "must provide `dnsConfig` when `dnsPolicy` is None")}
		}
		if len(c.Nameservers) == 0 {
			return field.ErrorList{field.Required(path.Child("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None")}
		}
	}
	if c == nil {
		return nil
	}
	servers, searches := path.Child("nameservers"), path.Child("searches")
	if len(c.Nameservers) > maxNameservers {
		errs = append(errs, field.Invalid(servers, c.Nameservers, fmt.Sprintf("must not have more than %v nameservers", maxNameservers)))
	}
	for i, ip := range c.Nameservers {
		errs = append(errs, validation.IsValidIP(servers.Index(i), ip)...)
	}
	if len(c.Searches) > maxSearches {
		errs = append(errs, field.Invalid(searches, c.Searches, fmt.Sprintf("must not have more than %v search paths", maxSearches)))
	}
	if len(strings.Join(c.Searches, " ")) > maxSearchChars {
		errs = append(errs, field.Invalid(searches, c.Searches, fmt.Sprintf("must not have more than %v characters (including spaces) in the search list", maxSearchChars)))
	}
	for i, search := range c.Searches {
		if search != "." {
			search = strings.TrimSuffix(search, ".")
			errs = append(errs, invalid(searches.Index(i), search, validation.IsDNS1123SubdomainWithUnderscore(search), "")...)
		}
	}
	for i := range c.Options {
		if c.Options[i].Name == "" {
			errs = append(errs, field.Required(path.Child("options").Index(i), "must not be empty"))
		}
	}
	return errs
}

func validateHostAliases(list []corev1.HostAlias, path *field.Path) (errs field.ErrorList) {
	for i, a := range list {
		errs = append(errs, validation.IsValidIP(path.Index(i).Child("ip"), a.IP)...)
		for j, name := range a.Hostnames {
			errs = append(errs, invalid(path.Index(i).Child("hostnames").Index(j), name, validation.IsDNS1123Subdomain(name), "")...)
		}
	}
	return errs
}
