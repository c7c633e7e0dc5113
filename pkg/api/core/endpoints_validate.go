package core

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateEndpoints(e, old *corev1.Endpoints) (errs field.ErrorList) {
	if old != nil {
		errs = append(errs, ValidateMetaUpdate(&e.ObjectMeta, &old.ObjectMeta)...)
	}
	errs = append(errs, ValidateMeta(&e.ObjectMeta, true, apivalidation.NameIsDNSSubdomain)...)
	subsets := validateSubsets(e.Subsets)
	if len(subsets) > 0 && old != nil && apiequality.Semantic.DeepEqual(e.Subsets, old.Subsets) {
		return errs // older servers took them
	}
	return append(errs, subsets...)
}

func validateSubsets(subsets []corev1.EndpointSubset) (errs field.ErrorList) {
	for i := range subsets {
		s, path := &subsets[i], field.NewPath("subsets").Index(i)
		if len(s.Addresses) == 0 && len(s.NotReadyAddresses) == 0 {
			errs = append(errs, field.Required(path, "must specify `addresses` or `notReadyAddresses`"))
		}
		for j := range s.Addresses {
			errs = append(errs, validateEndpointAddress(&s.Addresses[j], path.Child("addresses").Index(j))...)
		}
		for j := range s.NotReadyAddresses {
			errs = append(errs, validateEndpointAddress(&s.NotReadyAddresses[j], path.Child("notReadyAddresses").Index(j))...)
		}
		for j := range s.Ports {
			errs = append(errs, validateEndpointPort(&s.Ports[j], len(s.Ports) > 1, path.Child("ports").Index(j))...)
		}
	}
	return errs
}

func validateEndpointAddress(a *corev1.EndpointAddress, path *field.Path) field.ErrorList {
	errs := validation.IsValidIP(path.Child("ip"), a.IP)
	if a.Hostname != "" {
		errs = append(errs, ValidateLabelName(a.Hostname, path.Child("hostname"))...)
	}
	if a.NodeName != nil {
		errs = append(errs, ValidateNodeName(*a.NodeName, path.Child("nodeName"))...)
	}
	return append(errs, ValidateEndpointIP(a.IP, path.Child("ip"))...)
}

// ValidateEndpointIP refuses addresses that a service must never lead to: the machine itself and its neighbours, where
// an endpoint would reach what only the node may reach.
func ValidateEndpointIP(ip string, path *field.Path) (errs field.ErrorList) {
	bad := func(msg string) { errs = append(errs, field.Invalid(path, ip, msg)) }
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		bad("must be a valid IP address")
		return errs
	}
	addr = addr.Unmap()
	if addr.IsUnspecified() {
		bad("may not be unspecified (" + ip + ")")
	}
	if addr.IsLoopback() {
		bad("may not be in the loopback range (127.0.0.0/8, ::1/128)")
	}
	if addr.IsLinkLocalUnicast() {
		bad("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
	}
	if addr.IsLinkLocalMulticast() {
		bad("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
	}
	return errs
}

func validateEndpointPort(p *corev1.EndpointPort, named bool, path *field.Path) (errs field.ErrorList) {
	switch {
	case p.Name != "":
		errs = append(errs, ValidateLabelName(p.Name, path.Child("name"))...)
	case named:
		errs = append(errs, field.Required(path.Child("name"), ""))
	}
	errs = append(errs, validatePort(p.Port, path.Child("port"))...)
	errs = append(errs, ValidateProtocol(p.Protocol, path.Child("protocol"))...)
	if p.AppProtocol != nil {
		errs = append(errs, ValidateQualified(*p.AppProtocol, path.Child("appProtocol"))...)
	}
	return errs
}
