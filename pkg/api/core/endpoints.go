package core

import (
	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
)

// Endpoints is the kind v1 Endpoints.
var Endpoints = api.Define(api.Spec[*corev1.Endpoints]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Endpoints", Resource: "endpoints",
	ShortNames: []string{"ep"}, Namespaced: true,
	List:     &corev1.EndpointsList{},
	Singular: "endpoints", CreateOnUpdate: true,
	Deprecated: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
})
