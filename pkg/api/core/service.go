package core

import (
	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
)

// Service is the kind v1 Service.
var Service = api.Define(api.Spec[*corev1.Service]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Service", Resource: "services",
	ShortNames: []string{"svc"}, Categories: []string{"all"}, Namespaced: true,
	List:           &corev1.ServiceList{},
	CreateOnUpdate: true,
	Subresources: api.Subresources{
		"proxy":  connect("ServiceProxyOptions", "create", "delete", "get", "patch", "update"),
		"status": api.Part[*corev1.Service](nil, nil),
	},
})
