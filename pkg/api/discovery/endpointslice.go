package discovery

import (
	"github.com/kubeskiff/skiff/pkg/api"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// EndpointSlice is the kind discovery.k8s.io/v1 EndpointSlice.
var EndpointSlice = api.Define(api.Spec[*discoveryv1.EndpointSlice]{
	GroupVersion: discoveryv1.SchemeGroupVersion, Kind: "EndpointSlice", Resource: "endpointslices",
	Namespaced: true,
	List:       &discoveryv1.EndpointSliceList{},
})
