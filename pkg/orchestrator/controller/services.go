package controller

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// ServicesOf gives a function for WatchesChange on pods: the services whose endpoints a pod's change may touch. The many
// other changes of a pod's status wake nobody.
func ServicesOf(services corelisters.ServiceLister) func(old, obj metav1.Object) []types.NamespacedName {
	return func(old, obj metav1.Object) []types.NamespacedName {
		pod := obj.(*corev1.Pod)
		if old == nil {
			return selecting(services, pod)
		}
		before := old.(*corev1.Pod)
		if sameEndpoint(before, pod) {
			return nil
		}
		keys := selecting(services, pod)
		if !maps.Equal(before.Labels, pod.Labels) {
			keys = append(keys, selecting(services, before)...)
		}
		return keys
	}
}

func selecting(services corelisters.ServiceLister, pod *corev1.Pod) []types.NamespacedName {
	all, err := services.Services(pod.Namespace).List(labels.Everything())
	if err != nil {
		return nil
	}
	var keys []types.NamespacedName
	for _, s := range all {
		if s.Spec.Selector != nil && labels.SelectorFromValidatedSet(s.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			keys = append(keys, Key(s))
		}
	}
	return keys
}

func sameEndpoint(a, b *corev1.Pod) bool {
	if len(a.Status.PodIPs) != len(b.Status.PodIPs) {
		return false
	}
	for i := range a.Status.PodIPs {
		if a.Status.PodIPs[i].IP != b.Status.PodIPs[i].IP {
			return false
		}
	}
	return IsReady(a) == IsReady(b) && IsTerminal(a) == IsTerminal(b) && a.DeletionTimestamp.Equal(b.DeletionTimestamp) &&
		a.Spec.NodeName == b.Spec.NodeName && a.Spec.Hostname == b.Spec.Hostname && a.Spec.Subdomain == b.Spec.Subdomain &&
		maps.Equal(a.Labels, b.Labels)
}

// HasEndpoint says whether a pod may stand among a service's endpoints at all.
func HasEndpoint(p *corev1.Pod, terminating bool) bool {
	return !IsTerminal(p) && (p.Status.PodIP != "" || len(p.Status.PodIPs) > 0) && (terminating || p.DeletionTimestamp == nil)
}

// EndpointHostname is the name under which a headless service's DNS knows the pod; empty for none.
func EndpointHostname(p *corev1.Pod, s *corev1.Service) string {
	if p.Spec.Subdomain == s.Name && p.Namespace == s.Namespace {
		return p.Spec.Hostname
	}
	return ""
}

// TargetPort finds the container port that a service port means in a pod, by number or by name.
func TargetPort(p *corev1.Pod, port *corev1.ServicePort) (int32, bool) {
	if port.TargetPort.Type == intstr.Int {
		return port.TargetPort.IntVal, true
	}
	named := func(c *corev1.Container) (int32, bool) {
		for i := range c.Ports {
			if c.Ports[i].Name == port.TargetPort.StrVal && c.Ports[i].Protocol == port.Protocol {
				return c.Ports[i].ContainerPort, true
			}
		}
		return 0, false
	}
	for i := range p.Spec.Containers {
		if n, ok := named(&p.Spec.Containers[i]); ok {
			return n, true
		}
	}
	for i := range p.Spec.InitContainers {
		c := &p.Spec.InitContainers[i]
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			if n, ok := named(c); ok {
				return n, true
			}
		}
	}
	return 0, false
}

// IsHeadless holds for services without a cluster address.
func IsHeadless(s *corev1.Service) bool {
	return s.Spec.ClusterIP == "" || s.Spec.ClusterIP == corev1.ClusterIPNone
}
