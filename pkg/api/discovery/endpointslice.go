package discovery

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// EndpointSlice is the kind discovery.k8s.io/v1 EndpointSlice.
var EndpointSlice = api.Define(api.Spec[*discoveryv1.EndpointSlice]{
	GroupVersion: discoveryv1.SchemeGroupVersion, Kind: "EndpointSlice", Resource: "endpointslices",
	Namespaced: true,
	List:       &discoveryv1.EndpointSliceList{},
	Default:    defaultEndpointSlice,
	Prepare:    prepareEndpointSlice,
	Validate:   validateEndpointSlice,
	Warn:       warnEndpointSlice,
	Describe:   describeEndpointSlice,
	Columns: &api.Table[*discoveryv1.EndpointSlice]{
		Definitions: []metav1.TableColumnDefinition{
			api.NameColumn(),
			api.Column("AddressType", "string", discoveryv1.EndpointSlice{}.SwaggerDoc()["addressType"]),
			api.Column("Ports", "string", discoveryv1.EndpointSlice{}.SwaggerDoc()["ports"]),
			api.Column("Endpoints", "string", discoveryv1.EndpointSlice{}.SwaggerDoc()["endpoints"]),
			api.AgeColumn(),
		},
		Cells: func(s *discoveryv1.EndpointSlice) []any {
			return []any{s.Name, string(s.AddressType), formatPorts(s.Ports), formatAddresses(s.Endpoints), api.Age(s.CreationTimestamp.Time)}
		},
	},
})

func defaultEndpointSlice(s *discoveryv1.EndpointSlice) {
	for i := range s.Ports {
		p := &s.Ports[i]
		if p.Name == nil {
			p.Name = ptr.To("")
		}
		if p.Protocol == nil {
			p.Protocol = ptr.To(corev1.ProtocolTCP)
		}
	}
}

// prepareEndpointSlice moves the generation when anything but metadata changed, or the labels did. The old topology
// cannot be written any more.
func prepareEndpointSlice(s, old *discoveryv1.EndpointSlice) {
	if old == nil {
		s.Generation = 1
	} else {
		s.Generation = old.Generation
		if s.AddressType != old.AddressType || !apiequality.Semantic.DeepEqual(s.Endpoints, old.Endpoints) ||
			!apiequality.Semantic.DeepEqual(s.Ports, old.Ports) || !apiequality.Semantic.DeepEqual(s.Labels, old.Labels) {
			s.Generation++
		}
		if apiequality.Semantic.DeepEqual(s.Endpoints, old.Endpoints) {
			return
		}
	}
	for i := range s.Endpoints {
		s.Endpoints[i].DeprecatedTopology = nil
	}
}

func warnEndpointSlice(s, old *discoveryv1.EndpointSlice) []string {
	if old == nil && s.AddressType == discoveryv1.AddressTypeFQDN {
		return []string{"spec.addressType: FQDN endpoints are deprecated"}
	}
	return nil
}

// shown is how many addresses or ports a cell holds.
const shown = 3

func formatPorts(ports []discoveryv1.EndpointPort) string {
	var list []string
	for _, p := range ports {
		switch {
		case p.Port != nil:
			list = append(list, strconv.Itoa(int(*p.Port)))
		case p.Name != nil:
			list = append(list, *p.Name)
		default:
			list = append(list, "*")
		}
	}
	return firstOf(list)
}

func formatAddresses(endpoints []discoveryv1.Endpoint) string {
	var list []string
	for i := range endpoints {
		list = append(list, endpoints[i].Addresses...)
	}
	return firstOf(list)
}

func firstOf(list []string) string {
	if len(list) > shown {
		return fmt.Sprintf("%s + %d more...", strings.Join(list[:shown], ","), len(list)-shown)
	}
	if s := strings.Join(list, ","); s != "" {
		return s
	}
	return "<unset>"
}
