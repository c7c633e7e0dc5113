package core

import (
	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
)

// Namespace is the kind v1 Namespace.
var Namespace = api.Define(api.Spec[*corev1.Namespace]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Namespace", Resource: "namespaces",
	ShortNames: []string{"ns"},
	Verbs:      []string{"create", "delete", "get", "list", "patch", "update", "watch"},
	List:       &corev1.NamespaceList{},
	Subresources: api.Subresources{
		"status":   api.Part[*corev1.Namespace](nil, nil),
		"finalize": api.Part[*corev1.Namespace](nil, nil),
	},
})
