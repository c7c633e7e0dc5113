package endpointslicemirroring

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// maxEndpoints is how many addresses of a subset are mirrored.
const maxEndpoints = 1000

// plan is what to write.
type plan struct {
	create, update, remove []*discoveryv1.EndpointSlice
}

// desired gives one slice for each address family and set of ports, and counts what was left out: too much, or no address.
func desired(e *corev1.Endpoints) (wanted []*discoveryv1.EndpointSlice, skipped, invalid int) {
	byKey := map[string]*discoveryv1.EndpointSlice{}
	for i := range e.Subsets {
		subset, added := &e.Subsets[i], 0
		ports := portsOf(subset)
		take := func(addresses []corev1.EndpointAddress, ready bool) {
			for j := range addresses {
				ip, err := netip.ParseAddr(addresses[j].IP)
				switch {
				case added == maxEndpoints:
					skipped++
					continue
				case err != nil:
					invalid++
					continue
				}
				added++
				slice := newSlice(e, ports, familyOf(ip))
				if known, ok := byKey[keyOf(slice)]; ok {
					slice = known
				} else {
					byKey[keyOf(slice)] = slice
					wanted = append(wanted, slice)
				}
				slice.Endpoints = append(slice.Endpoints, endpoint(&addresses[j], ip, ready))
			}
		}
		take(subset.Addresses, true)
		take(subset.NotReadyAddresses, false)
	}
	return wanted, skipped, invalid
}

func newSlice(e *corev1.Endpoints, ports []discoveryv1.EndpointPort, family discoveryv1.AddressType) *discoveryv1.EndpointSlice {
	labels, annotations := maps.Clone(e.Labels), maps.Clone(e.Annotations)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[discoveryv1.LabelServiceName], labels[discoveryv1.LabelManagedBy] = e.Name, managedBy
	delete(annotations, corev1.EndpointsLastChangeTriggerTime)
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	prefix := e.Name + "-"
	if len(validation.NameIsDNSSubdomain(prefix, true)) > 0 {
		prefix = e.Name
	}
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: e.Namespace, GenerateName: prefix, Labels: labels, Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(e, corev1.SchemeGroupVersion.WithKind("Endpoints"))},
		},
		AddressType: family,
		Ports:       ports,
		Endpoints:   []discoveryv1.Endpoint{},
	}
}

func endpoint(a *corev1.EndpointAddress, ip netip.Addr, ready bool) discoveryv1.Endpoint {
	e := discoveryv1.Endpoint{
		Addresses: []string{ip.String()}, Conditions: discoveryv1.EndpointConditions{Ready: &ready},
		TargetRef: a.TargetRef, NodeName: a.NodeName,
	}
	if a.Hostname != "" {
		e.Hostname = new(a.Hostname)
	}
	return e
}

func portsOf(subset *corev1.EndpointSubset) []discoveryv1.EndpointPort {
	ports := []discoveryv1.EndpointPort{}
	for _, p := range subset.Ports {
		ports = append(ports, discoveryv1.EndpointPort{Name: new(p.Name), Port: new(p.Port), Protocol: new(p.Protocol), AppProtocol: p.AppProtocol})
	}
	return ports
}

func familyOf(ip netip.Addr) discoveryv1.AddressType {
	if ip.Is4() {
		return discoveryv1.AddressTypeIPv4
	}
	return discoveryv1.AddressTypeIPv6
}

// keyOf is equal for slices of one family with the same ports.
func keyOf(slice *discoveryv1.EndpointSlice) string {
	var texts []string
	for _, p := range slice.Ports {
		protocol := corev1.ProtocolTCP
		if p.Protocol != nil {
			protocol = *p.Protocol
		}
		var name, app string
		if p.Name != nil {
			name = *p.Name
		}
		if p.AppProtocol != nil {
			app = *p.AppProtocol
		}
		var port int32
		if p.Port != nil {
			port = *p.Port
		}
		texts = append(texts, fmt.Sprintf("%q/%d/%s/%q", name, port, protocol, app))
	}
	slices.Sort(texts)
	return string(slice.AddressType) + " " + strings.Join(texts, ",")
}

// makePlan changes a slice of the same family and ports, reuses one of the same family, or makes a new one.
func makePlan(e *corev1.Endpoints, wanted, existing []*discoveryv1.EndpointSlice) plan {
	var p plan
	rest := slices.Clone(existing)
	take := func(want *discoveryv1.EndpointSlice, fits func(*discoveryv1.EndpointSlice) bool) bool {
		i := slices.IndexFunc(rest, fits)
		if i < 0 {
			return false
		}
		old := rest[i]
		rest = slices.Delete(rest, i, i+1)
		if same(old, want) {
			return true
		}
		next := old.DeepCopy()
		next.Labels, next.Annotations, next.Ports, next.Endpoints = want.Labels, want.Annotations, want.Ports, want.Endpoints
		next.OwnerReferences = want.OwnerReferences
		p.update = append(p.update, next)
		return true
	}
	var open []*discoveryv1.EndpointSlice
	for _, want := range wanted {
		if !take(want, func(old *discoveryv1.EndpointSlice) bool { return keyOf(old) == keyOf(want) }) {
			open = append(open, want)
		}
	}
	for _, want := range open {
		if !take(want, func(old *discoveryv1.EndpointSlice) bool { return old.AddressType == want.AddressType }) && e.DeletionTimestamp == nil {
			p.create = append(p.create, want)
		}
	}
	p.remove = rest
	return p
}

func same(a, b *discoveryv1.EndpointSlice) bool {
	return maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations) && keyOf(a) == keyOf(b) &&
		len(a.OwnerReferences) == 1 && a.OwnerReferences[0].UID == b.OwnerReferences[0].UID &&
		apiequality.Semantic.DeepEqual(a.Endpoints, b.Endpoints)
}
