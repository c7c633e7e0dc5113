package core

import (
	"strconv"

	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Pod is the kind v1 Pod. The server carries an eviction out as a delete with the options of its body.
var Pod = api.Define(api.Spec[*corev1.Pod]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Pod", Resource: "pods",
	ShortNames: []string{"po"}, Categories: []string{"all"}, Namespaced: true,
	List:           &corev1.PodList{},
	Default:        defaultPod,
	Prepare:        preparePod,
	Validate:       validatePod,
	Warn:           warnPod,
	GracefulDelete: gracefulPodDelete,
	Fields: map[string]func(*corev1.Pod) string{
		"spec.nodeName":            func(p *corev1.Pod) string { return p.Spec.NodeName },
		"spec.restartPolicy":       func(p *corev1.Pod) string { return string(p.Spec.RestartPolicy) },
		"spec.schedulerName":       func(p *corev1.Pod) string { return p.Spec.SchedulerName },
		"spec.serviceAccountName":  func(p *corev1.Pod) string { return p.Spec.ServiceAccountName },
		"spec.hostNetwork":         func(p *corev1.Pod) string { return strconv.FormatBool(p.Spec.HostNetwork) },
		"status.phase":             func(p *corev1.Pod) string { return string(p.Status.Phase) },
		"status.podIP":             func(p *corev1.Pod) string { return p.Status.PodIP },
		"status.nominatedNodeName": func(p *corev1.Pod) string { return p.Status.NominatedNodeName },
	},
	Subresources: api.Subresources{
		"attach":              connect("PodAttachOptions", "create", "get"),
		"binding":             podBinding,
		"ephemeralcontainers": api.Part(prepareEphemeralContainers, validateEphemeralContainers),
		"eviction":            api.View[*corev1.Pod, *policyv1.Eviction](policyv1.SchemeGroupVersion.WithKind("Eviction"), []string{"create"}, nil, nil),
		"exec":                connect("PodExecOptions", "create", "get"),
		"log":                 connect("Pod", "get"),
		"portforward":         connect("PodPortForwardOptions", "create", "get"),
		"proxy":               connect("PodProxyOptions", "create", "delete", "get", "patch", "update"),
		"resize":              api.Part(preparePodResize, validatePodResize),
		"status":              api.Part(preparePodStatus, validatePodStatus),
	},
	Describe:    describePod,
	Columns:     podColumns,
	PodSpec:     func(p *corev1.Pod) *corev1.PodSpec { return &p.Spec },
	Expose:      exposePod,
	ForwardPort: func(_, pod *corev1.Pod, port string) (int32, int32, error) { return forwardPodPort(pod, port) },
})

// connect is a subresource that leads to a kubelet; kind is what discovery calls the options it takes.
func connect(kind string, verbs ...string) *api.Subresource {
	s := api.Connect(verbs...)
	s.Kind = corev1.SchemeGroupVersion.WithKind(kind)
	return s
}

// gracefulPodDelete waits only where there is something to stop: on a pod that a node runs.
func gracefulPodDelete(p *corev1.Pod, opts *metav1.DeleteOptions) int64 {
	var period int64
	switch {
	case opts.GracePeriodSeconds != nil:
		period = *opts.GracePeriodSeconds
	case p.Spec.TerminationGracePeriodSeconds != nil:
		period = *p.Spec.TerminationGracePeriodSeconds
	}
	switch {
	case p.Spec.NodeName == "", p.Status.Phase == corev1.PodFailed, p.Status.Phase == corev1.PodSucceeded:
		return 0
	case period < 0:
		return 1
	}
	return period
}
