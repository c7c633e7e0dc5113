package core

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func validateService(s, old *corev1.Service) (errs field.ErrorList) {
	if old == nil {
		errs = append(errs, ValidateMeta(&s.ObjectMeta, true, apivalidation.NameIsDNSLabel)...)
	} else {
		errs = append(errs, ValidateMetaUpdate(&s.ObjectMeta, &old.ObjectMeta)...)
		errs = append(errs, validateServiceChange(s, old)...)
	}
	path := field.NewPath("spec")
	if len(s.Spec.Ports) == 0 && !isHeadless(s) && s.Spec.Type != corev1.ServiceTypeExternalName {
		errs = append(errs, field.Required(path.Child("ports"), ""))
	}
	errs = append(errs, validateServiceType(s, path)...)
	errs = append(errs, validateServicePorts(s, path.Child("ports"))...)
	if s.Spec.Selector != nil {
		errs = append(errs, metavalidation.ValidateLabels(s.Spec.Selector, path.Child("selector"))...)
	}
	errs = append(errs, validateSessionAffinity(s, path)...)
	errs = append(errs, validateClusterIPs(s, old, path)...)
	errs = append(errs, validateExternalIPs(s, old, path)...)
	errs = append(errs, oneOf(s.Spec.Type, path.Child("type"),
		corev1.ServiceTypeClusterIP, corev1.ServiceTypeExternalName, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort)...)
	errs = append(errs, validatePortsUnique(s, path.Child("ports"))...)
	errs = append(errs, validateBalancer(s, path)...)
	return append(errs, validateTraffic(s, path)...)
}

func validateServiceType(s *corev1.Service, path *field.Path) (errs field.ErrorList) {
	switch s.Spec.Type {
	case corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort:
		if isHeadless(s) {
			errs = append(errs, field.Invalid(path.Child("clusterIPs").Index(0), corev1.ClusterIPNone,
				fmt.Sprintf("may not be set to 'None' for %s services", s.Spec.Type)))
		}
	case corev1.ServiceTypeExternalName:
		const msg = "may not be set for ExternalName services"
		if len(s.Spec.ClusterIPs) > 0 {
			errs = append(errs, field.Forbidden(path.Child("clusterIPs"), msg))
		}
		if len(s.Spec.IPFamilies) > 0 {
			errs = append(errs, field.Forbidden(path.Child("ipFamilies"), msg))
		}
		if s.Spec.IPFamilyPolicy != nil {
			errs = append(errs, field.Forbidden(path.Child("ipFamilyPolicy"), msg))
		}
		name := strings.TrimSuffix(s.Spec.ExternalName, ".")
		if name == "" {
			return append(errs, field.Required(path.Child("externalName"), ""))
		}
		errs = append(errs, invalid(path.Child("externalName"), name, validation.IsDNS1123Subdomain(name), "")...)
	}
	return errs
}

func validateServicePorts(s *corev1.Service, ports *field.Path) (errs field.ErrorList) {
	names := map[string]bool{}
	for i := range s.Spec.Ports {
		p, path := &s.Spec.Ports[i], ports.Index(i)
		switch {
		case p.Name != "":
			errs = append(errs, ValidateLabelName(p.Name, path.Child("name"))...)
			if names[p.Name] {
				errs = append(errs, field.Duplicate(path.Child("name"), p.Name))
			}
			names[p.Name] = true
		case len(s.Spec.Ports) > 1:
			errs = append(errs, field.Required(path.Child("name"), ""))
		}
		errs = append(errs, validatePort(p.Port, path.Child("port"))...)
		errs = append(errs, ValidateProtocol(p.Protocol, path.Child("protocol"))...)
		errs = append(errs, validatePortOrName(p.TargetPort, path.Child("targetPort"))...)
		if p.AppProtocol != nil {
			errs = append(errs, ValidateQualified(*p.AppProtocol, path.Child("appProtocol"))...)
		}
	}
	return errs
}

func validatePortOrName(p intstr.IntOrString, path *field.Path) field.ErrorList {
	if p.Type == intstr.String {
		return invalid(path, p.StrVal, validation.IsValidPortName(p.StrVal), "")
	}
	return invalid(path, p.IntValue(), validation.IsValidPortNum(p.IntValue()), "")
}

// validatePortsUnique looks for node ports and ports that occur twice under one protocol.
func validatePortsUnique(s *corev1.Service, path *field.Path) (errs field.ErrorList) {
	type id struct {
		protocol corev1.Protocol
		port     int32
	}
	if s.Spec.Type == corev1.ServiceTypeClusterIP {
		for i, p := range s.Spec.Ports {
			if p.NodePort != 0 {
				errs = append(errs, field.Forbidden(path.Index(i).Child("nodePort"), "may not be used when `type` is 'ClusterIP'"))
			}
		}
	}
	nodePorts, ports := map[id]bool{}, map[id]bool{}
	for i, p := range s.Spec.Ports {
		if key := (id{p.Protocol, p.NodePort}); p.NodePort != 0 {
			if nodePorts[key] {
				errs = append(errs, field.Duplicate(path.Index(i).Child("nodePort"), p.NodePort))
			}
			nodePorts[key] = true
		}
	}
	for i, p := range s.Spec.Ports {
		key := id{p.Protocol, p.Port}
		if ports[key] {
			errs = append(errs, field.Duplicate(path.Index(i), Internal{corev1.ServicePort{Protocol: p.Protocol, Port: p.Port}}))
		}
		ports[key] = true
	}
	return errs
}

// maxAffinitySeconds is a day.
const maxAffinitySeconds = 86400

func validateSessionAffinity(s *corev1.Service, path *field.Path) (errs field.ErrorList) {
	config := path.Child("sessionAffinityConfig")
	switch s.Spec.SessionAffinity {
	case corev1.ServiceAffinityNone:
		if s.Spec.SessionAffinityConfig != nil {
			errs = append(errs, field.Forbidden(config, "must not be set when session affinity is None"))
		}
	case corev1.ServiceAffinityClientIP:
		// Defaults have filled in the config.
		if c := s.Spec.SessionAffinityConfig; c != nil && c.ClientIP != nil && c.ClientIP.TimeoutSeconds != nil {
			if t := *c.ClientIP.TimeoutSeconds; t <= 0 || t > maxAffinitySeconds {
				errs = append(errs, field.Invalid(config.Child("clientIP", "timeoutSeconds"), t,
					fmt.Sprintf("must be greater than 0 and less than %d", maxAffinitySeconds)))
			}
		}
	default:
		errs = append(errs, field.NotSupported(path.Child("sessionAffinity"), s.Spec.SessionAffinity,
			[]corev1.ServiceAffinity{corev1.ServiceAffinityClientIP, corev1.ServiceAffinityNone}))
	}
	return errs
}

func validateExternalIPs(s, old *corev1.Service, path *field.Path) (errs field.ErrorList) {
	for i, ip := range s.Spec.ExternalIPs {
		if old != nil && slices.Contains(old.Spec.ExternalIPs, ip) {
			continue
		}
		at := path.Child("externalIPs").Index(i)
		if bad := validation.IsValidIP(at, ip); len(bad) > 0 {
			errs = append(errs, bad...)
			continue
		}
		errs = append(errs, ValidateEndpointIP(ip, at)...)
	}
	return errs
}

func validateBalancer(s *corev1.Service, path *field.Path) (errs field.ErrorList) {
	const only = "may only be used when `type` is 'LoadBalancer'"
	balancer := s.Spec.Type == corev1.ServiceTypeLoadBalancer
	if len(s.Spec.LoadBalancerSourceRanges) > 0 {
		ranges := path.Child("LoadBalancerSourceRanges")
		if !balancer {
			errs = append(errs, field.Forbidden(ranges, only))
		}
		for i, cidr := range s.Spec.LoadBalancerSourceRanges {
			errs = append(errs, validation.IsValidCIDR(ranges.Index(i), strings.TrimSpace(cidr))...)
		}
	}
	if s.Spec.AllocateLoadBalancerNodePorts != nil && !balancer {
		errs = append(errs, field.Forbidden(path.Child("allocateLoadBalancerNodePorts"), only))
	}
	if class := s.Spec.LoadBalancerClass; class != nil && balancer {
		errs = append(errs, ValidateQualified(*class, path.Child("loadBalancerClass"))...)
	} else if class != nil {
		errs = append(errs, field.Forbidden(path.Child("loadBalancerClass"), only))
	}
	return errs
}

func validateTraffic(s *corev1.Service, path *field.Path) (errs field.ErrorList) {
	external := path.Child("externalTrafficPolicy")
	switch policy := s.Spec.ExternalTrafficPolicy; {
	case !externallyAccessible(s):
		if policy != "" {
			errs = append(errs, field.Invalid(external, policy, "may only be set for externally-accessible services"))
		}
	case policy == "":
		errs = append(errs, field.Required(external, ""))
	default:
		errs = append(errs, oneOf(policy, external, corev1.ServiceExternalTrafficPolicyCluster, corev1.ServiceExternalTrafficPolicyLocal)...)
	}
	if port := s.Spec.HealthCheckNodePort; port != 0 {
		if NeedsHealthPort(s) {
			errs = append(errs, validatePort(port, path.Child("healthCheckNodePort"))...)
		} else {
			errs = append(errs, field.Invalid(path.Child("healthCheckNodePort"), port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
		}
	}
	if policy := s.Spec.InternalTrafficPolicy; policy != nil {
		errs = append(errs, oneOf(*policy, path.Child("internalTrafficPolicy"), corev1.ServiceInternalTrafficPolicyCluster, corev1.ServiceInternalTrafficPolicyLocal)...)
	}
	if d := s.Spec.TrafficDistribution; d != nil {
		errs = append(errs, oneOf(*d, path.Child("trafficDistribution"), corev1.ServiceTrafficDistributionPreferClose,
			corev1.ServiceTrafficDistributionPreferSameZone, corev1.ServiceTrafficDistributionPreferSameNode)...)
	}
	return errs
}

func validateServiceStatus(s, old *corev1.Service) field.ErrorList {
	errs := ValidateMetaUpdate(&s.ObjectMeta, &old.ObjectMeta)
	path := field.NewPath("status", "loadBalancer", "ingress")
	ingress := s.Status.LoadBalancer.Ingress
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer && len(ingress) > 0 {
		return append(errs, field.Forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"))
	}
	for i := range ingress {
		errs = append(errs, validateIngress(&ingress[i], path.Index(i))...)
	}
	return errs
}

func validateIngress(in *corev1.LoadBalancerIngress, path *field.Path) (errs field.ErrorList) {
	if in.IP != "" {
		errs = append(errs, validation.IsValidIP(path.Child("ip"), in.IP)...)
	}
	switch mode := path.Child("ipMode"); {
	case in.IPMode == nil && in.IP != "":
		errs = append(errs, field.Required(mode, "must be specified when `ip` is set"))
	case in.IPMode != nil && in.IP == "":
		errs = append(errs, field.Forbidden(mode, "may not be specified when `ip` is not set"))
	case in.IPMode != nil:
		errs = append(errs, oneOf(ptr.Deref(in.IPMode, ""), mode, corev1.LoadBalancerIPModeProxy, corev1.LoadBalancerIPModeVIP)...)
	}
	if in.Hostname != "" {
		errs = append(errs, invalid(path.Child("hostname"), in.Hostname, validation.IsDNS1123Subdomain(in.Hostname), "")...)
		if _, err := netip.ParseAddr(in.Hostname); err == nil {
			errs = append(errs, field.Invalid(path.Child("hostname"), in.Hostname, "must be a DNS name, not an IP address"))
		}
	}
	return errs
}
