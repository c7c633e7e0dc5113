package discovery

import (
	"net/netip"

	"github.com/kubeskiff/skiff/pkg/api/core"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// What one slice may hold.
const (
	maxEndpoints = 1000
	maxAddresses = 100
	maxPorts     = 20000
	maxTopology  = 16
	maxHints     = 8
)

func validateEndpointSlice(s, old *discoveryv1.EndpointSlice) field.ErrorList {
	errs := core.ValidateMeta(&s.ObjectMeta, true, apivalidation.NameIsDNSSubdomain)
	path := field.NewPath("addressType")
	switch s.AddressType {
	case discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6, discoveryv1.AddressTypeFQDN:
	case "":
		errs = append(errs, field.Required(path, ""))
	default:
		errs = append(errs, field.NotSupported(path, s.AddressType, []discoveryv1.AddressType{
			discoveryv1.AddressTypeFQDN, discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6}))
	}
	errs = append(errs, validatePorts(s.Ports)...)
	endpoints := validateEndpoints(s)
	if len(endpoints) > 0 && old != nil && apiequality.Semantic.DeepEqual(s.Endpoints, old.Endpoints) {
		endpoints = nil // older servers took them
	}
	errs = append(errs, endpoints...)
	if old != nil {
		errs = append(errs, apivalidation.ValidateImmutableField(s.AddressType, old.AddressType, path)...)
	}
	return errs
}

func validatePorts(ports []discoveryv1.EndpointPort) (errs field.ErrorList) {
	path := field.NewPath("ports")
	if len(ports) > maxPorts {
		return field.ErrorList{field.TooMany(path, len(ports), maxPorts)}
	}
	names := map[string]bool{}
	for i := range ports {
		p, at := &ports[i], path.Index(i)
		name := ptr.Deref(p.Name, "")
		if name != "" {
			errs = append(errs, core.ValidateLabelName(name, at.Child("name"))...)
		}
		if names[name] {
			errs = append(errs, field.Duplicate(at.Child("name"), name))
		}
		names[name] = true
		if p.Protocol != nil && *p.Protocol == "" { // a protocol that is not there has its default
			errs = append(errs, field.NotSupported(at.Child("protocol"), *p.Protocol, []corev1.Protocol{corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP}))
		} else {
			errs = append(errs, core.ValidateProtocol(ptr.Deref(p.Protocol, ""), at.Child("protocol"))...)
		}
		if p.AppProtocol != nil {
			errs = append(errs, core.ValidateQualified(*p.AppProtocol, at.Child("appProtocol"))...)
		}
	}
	return errs
}

func validateEndpoints(s *discoveryv1.EndpointSlice) (errs field.ErrorList) {
	path := field.NewPath("endpoints")
	if len(s.Endpoints) > maxEndpoints {
		return field.ErrorList{field.TooMany(path, len(s.Endpoints), maxEndpoints)}
	}
	for i := range s.Endpoints {
		e, at := &s.Endpoints[i], path.Index(i)
		errs = append(errs, validateAddresses(e.Addresses, s.AddressType, at.Child("addresses"))...)
		if e.NodeName != nil {
			errs = append(errs, core.ValidateNodeName(*e.NodeName, at.Child("nodeName"))...)
		}
		if topology := at.Child("deprecatedTopology"); len(e.DeprecatedTopology) > maxTopology {
			errs = append(errs, field.TooMany(topology, len(e.DeprecatedTopology), maxTopology))
		} else {
			errs = append(errs, metavalidation.ValidateLabels(e.DeprecatedTopology, topology)...)
		}
		if e.Hostname != nil {
			errs = append(errs, core.ValidateLabelName(*e.Hostname, at.Child("hostname"))...)
		}
		if e.Hints != nil {
			errs = append(errs, validateHints(e.Hints, at.Child("hints"))...)
		}
	}
	return errs
}

func validateAddresses(list []string, typ discoveryv1.AddressType, path *field.Path) (errs field.ErrorList) {
	switch {
	case len(list) == 0:
		errs = append(errs, field.Required(path, "must contain at least 1 address"))
	case len(list) > maxAddresses:
		errs = append(errs, field.TooMany(path, len(list), maxAddresses))
	}
	for i, a := range list {
		if typ == discoveryv1.AddressTypeFQDN {
			errs = append(errs, validation.IsFullyQualifiedDomainName(path.Index(i), a)...)
			continue
		}
		if typ != discoveryv1.AddressTypeIPv4 && typ != discoveryv1.AddressTypeIPv6 {
			continue
		}
		if bad := validation.IsValidIP(path.Index(i), a); len(bad) > 0 {
			errs = append(errs, bad...)
			continue
		}
		if ip, err := netip.ParseAddr(a); err == nil && ip.Unmap().Is4() != (typ == discoveryv1.AddressTypeIPv4) {
			errs = append(errs, field.Invalid(path, a, "must be an "+string(typ)+" address"))
		}
		errs = append(errs, core.ValidateEndpointIP(a, path.Index(i))...)
	}
	return errs
}

func validateHints(h *discoveryv1.EndpointHints, path *field.Path) (errs field.ErrorList) {
	zones, nodes := path.Child("forZones"), path.Child("forNodes")
	if len(h.ForZones) > maxHints {
		return field.ErrorList{field.TooMany(zones, len(h.ForZones), maxHints)}
	}
	seen := map[string]bool{}
	for i, z := range h.ForZones {
		at := zones.Index(i).Child("name")
		if seen[z.Name] {
			errs = append(errs, field.Duplicate(at, z.Name))
		}
		seen[z.Name] = true
		for _, msg := range validation.IsValidLabelValue(z.Name) {
			errs = append(errs, field.Invalid(at, z.Name, msg))
		}
	}
	if len(h.ForNodes) > maxHints {
		return append(errs, field.TooMany(nodes, len(h.ForNodes), maxHints))
	}
	seen = map[string]bool{}
	for i, n := range h.ForNodes {
		at := nodes.Index(i).Child("name")
		if seen[n.Name] {
			errs = append(errs, field.Duplicate(at, n.Name))
		}
		seen[n.Name] = true
		errs = append(errs, core.ValidateNodeName(n.Name, at)...)
	}
	return errs
}
