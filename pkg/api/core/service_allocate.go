package core

import (
	"fmt"
	"strings"

	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// Node ports are unique whatever their protocol, as upstream's are: all are asked for under this one. Two ports of one
// service with the same number share a node port.
const anyProtocol = corev1.ProtocolTCP

// allocateService takes the addresses and ports that s is to have, then releases those of old that it has no more.
func allocateService(s, old *corev1.Service, a api.Allocator) (errs field.ErrorList) {
	held := allocated(old)
	if s != nil {
		errs = append(errs, allocateClusterIP(s, held, a)...)
		errs = append(errs, allocateNodePorts(s, held, a)...)
		errs = append(errs, allocateHealthPort(s, held, a)...)
	}
	if len(errs) > 0 {
		return errs
	}
	kept := allocated(s)
	for ip := range held.ips {
		if !kept.ips[ip] {
			a.ReleaseClusterIP(ip)
		}
	}
	for port := range held.ports {
		if !kept.ports[port] {
			a.ReleaseNodePort(port, anyProtocol)
		}
	}
	return nil
}

// holding is what a service has taken.
type holding struct {
	ips   map[string]bool
	ports map[int32]bool
}

func allocated(s *corev1.Service) holding {
	h := holding{ips: map[string]bool{}, ports: map[int32]bool{}}
	if s == nil {
		return h
	}
	if needsClusterIP(s) && !isHeadless(s) {
		for _, ip := range s.Spec.ClusterIPs {
			h.ips[ip] = true
		}
	}
	if mayHaveNodePorts(s) {
		h.ports = nodePorts(s)
	}
	if NeedsHealthPort(s) && s.Spec.HealthCheckNodePort != 0 {
		h.ports[s.Spec.HealthCheckNodePort] = true
	}
	return h
}

func allocateClusterIP(s *corev1.Service, held holding, a api.Allocator) field.ErrorList {
	if !needsClusterIP(s) {
		return nil
	}
	spec := &s.Spec
	if isHeadless(s) {
		headlessFamilies(spec)
		return nil
	}
	path := field.NewPath("spec")
	if ptr.Deref(spec.IPFamilyPolicy, "") == corev1.IPFamilyPolicyRequireDualStack {
		return field.ErrorList{field.Invalid(path.Child("ipFamilyPolicy"), *spec.IPFamilyPolicy, "this cluster is not configured for dual-stack services")}
	}
	want := spec.ClusterIP
	if want == "" || !held.ips[want] {
		got, err := a.ClusterIP(want)
		switch {
		case err != nil && want == "":
			return field.ErrorList{field.Invalid(path.Child("clusterIPs"), spec.ClusterIPs, fmt.Sprintf("failed to allocate IP: %v", err))}
		case err != nil:
			return field.ErrorList{field.Invalid(path.Child("clusterIPs"), spec.ClusterIPs, fmt.Sprintf("failed to allocate IP %v: %v", want, err))}
		}
		want = got
	}
	family := familyOf(want)
	for i, f := range spec.IPFamilies {
		if f != family {
			if spec.ClusterIP == "" {
				a.ReleaseClusterIP(want)
			}
			return field.ErrorList{field.Invalid(path.Child("ipFamilies").Index(i), f, "not configured on this cluster")}
		}
	}
	spec.ClusterIP, spec.ClusterIPs, spec.IPFamilies = want, []string{want}, []corev1.IPFamily{family}
	return nil
}

// headlessFamilies names the families of a service without an address. One without a selector may lead anywhere.
func headlessFamilies(spec *corev1.ServiceSpec) {
	if len(spec.IPFamilies) == 0 {
		spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol}
	}
	dual := ptr.Deref(spec.IPFamilyPolicy, corev1.IPFamilyPolicySingleStack) != corev1.IPFamilyPolicySingleStack
	if len(spec.Selector) > 0 || len(spec.IPFamilies) > 1 || !dual {
		return
	}
	other := corev1.IPv6Protocol
	if spec.IPFamilies[0] == other {
		other = corev1.IPv4Protocol
	}
	spec.IPFamilies = append(spec.IPFamilies, other)
}

func familyOf(ip string) corev1.IPFamily {
	if strings.Contains(ip, ":") {
		return corev1.IPv6Protocol
	}
	return corev1.IPv4Protocol
}

func allocateNodePorts(s *corev1.Service, held holding, a api.Allocator) (errs field.ErrorList) {
	if !mayHaveNodePorts(s) {
		return nil
	}
	byPort, taken := askedNodePorts(s), map[int32]bool{}
	for i := range s.Spec.Ports {
		p := &s.Spec.Ports[i]
		if p.NodePort == 0 {
			if !takesNodePorts(s) {
				continue
			}
			p.NodePort = byPort[p.Port]
		}
		if p.NodePort != 0 && (held.ports[p.NodePort] || taken[p.NodePort]) {
			continue
		}
		got, err := a.NodePort(p.NodePort, anyProtocol)
		if err != nil {
			errs = append(errs, field.Invalid(field.NewPath("spec", "ports").Index(i).Child("nodePort"), p.NodePort, err.Error()))
			continue
		}
		p.NodePort, taken[got], byPort[p.Port] = got, true, got
	}
	return errs
}

// askedNodePorts maps ports to the node ports that the user wrote, which equal ports of other protocols share.
func askedNodePorts(s *corev1.Service) map[int32]int32 {
	asked := map[int32]int32{}
	for _, p := range s.Spec.Ports {
		if p.NodePort != 0 && asked[p.Port] == 0 {
			asked[p.Port] = p.NodePort
		}
	}
	return asked
}

func allocateHealthPort(s *corev1.Service, held holding, a api.Allocator) field.ErrorList {
	want := s.Spec.HealthCheckNodePort
	if !NeedsHealthPort(s) || want != 0 && held.ports[want] {
		return nil
	}
	got, err := a.NodePort(want, anyProtocol)
	if err != nil {
		return field.ErrorList{field.Invalid(field.NewPath("spec", "healthCheckNodePort"), want,
			fmt.Sprintf("failed to allocate requested HealthCheck NodePort %v: %v", want, err))}
	}
	s.Spec.HealthCheckNodePort = got
	return nil
}
