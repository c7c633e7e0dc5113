package core

import (
	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
)

// Pod is the kind v1 Pod.
var Pod = api.Define(api.Spec[*corev1.Pod]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Pod", Resource: "pods",
	ShortNames: []string{"po"}, Categories: []string{"all"}, Namespaced: true,
	List: &corev1.PodList{},
	Subresources: api.Subresources{
		"attach":              connect("PodAttachOptions", "create", "get"),
		"binding":             api.View[*corev1.Pod, *corev1.Binding](corev1.SchemeGroupVersion.WithKind("Binding"), []string{"create"}, nil, nil),
		"ephemeralcontainers": api.Part[*corev1.Pod](nil, nil),
		"eviction":            api.View[*corev1.Pod, *policyv1.Eviction](policyv1.SchemeGroupVersion.WithKind("Eviction"), []string{"create"}, nil, nil),
		"exec":                connect("PodExecOptions", "create", "get"),
		"log":                 connect("Pod", "get"),
		"portforward":         connect("PodPortForwardOptions", "create", "get"),
		"proxy":               connect("PodProxyOptions", "create", "delete", "get", "patch", "update"),
		"resize":              api.Part[*corev1.Pod](nil, nil),
		"status":              api.Part[*corev1.Pod](nil, nil),
	},
})

// connect is a subresource that leads to a kubelet; kind is what discovery calls the options it takes.
func connect(kind string, verbs ...string) *api.Subresource {
	s := api.Connect(verbs...)
	s.Kind = corev1.SchemeGroupVersion.WithKind(kind)
	return s
}
