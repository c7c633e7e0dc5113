package core

import (
	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
)

// Node is the kind v1 Node.
var Node = api.Define(api.Spec[*corev1.Node]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Node", Resource: "nodes",
	ShortNames: []string{"no"},
	List:       &corev1.NodeList{},
	Subresources: api.Subresources{
		"status": api.Part[*corev1.Node](nil, nil),
		"proxy":  connect("NodeProxyOptions", "create", "delete", "get", "patch", "update"),
	},
})
