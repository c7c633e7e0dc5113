package kubelet

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubeskiff/skiff/pkg/orchestrator/network"
)

// fronting gives the services whose rules lead to a pod.
func (k *Kubelet) fronting(pod *corev1.Pod) []*corev1.Service {
	all, known := k.knownServices()
	if !known {
		return nil
	}
	return slices.DeleteFunc(all, func(s *corev1.Service) bool { return !fronts(s, pod) })
}

func fronts(s *corev1.Service, pod *corev1.Pod) bool {
	_, ok := network.Fronted(s)
	return ok && s.Namespace == pod.Namespace && len(s.Spec.Selector) > 0 &&
		labels.SelectorFromValidatedSet(s.Spec.Selector).Matches(labels.Set(pod.Labels))
}

// servedPorts are the TCP ports to which services lead connections that a container of the pod is to take: those that it declares, and
// those that none declares.
func servedPorts(services []*corev1.Service, pod *corev1.Pod, c *corev1.Container) []uint16 {
	var out []uint16
	for _, s := range services {
		for i := range s.Spec.Ports {
			p := &s.Spec.Ports[i]
			if p.Protocol != "" && p.Protocol != corev1.ProtocolTCP {
				continue
			}
			if port := targetPort(p, pod); port > 0 && (declares(c, port) || !declared(pod, port)) {
				out = append(out, uint16(port))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// declaredPorts are the TCP ports that a container says it listens on.
func declaredPorts(c *corev1.Container) []uint16 {
	var out []uint16
	for _, p := range c.Ports {
		if p.Protocol == "" || p.Protocol == corev1.ProtocolTCP {
			out = append(out, uint16(p.ContainerPort))
		}
	}
	return out
}

// targetPort resolves a service's port in a pod; 0 where no container has one of that name.
func targetPort(p *corev1.ServicePort, pod *corev1.Pod) int32 {
	switch {
	case p.TargetPort.Type == intstr.Int && p.TargetPort.IntVal != 0:
		return p.TargetPort.IntVal
	case p.TargetPort.Type == intstr.Int:
		return p.Port
	}
	for i := range pod.Spec.Containers {
		for _, cp := range pod.Spec.Containers[i].Ports {
			if cp.Name == p.TargetPort.StrVal && (cp.Protocol == "" || cp.Protocol == corev1.ProtocolTCP) {
				return cp.ContainerPort
			}
		}
	}
	return 0
}

func declared(pod *corev1.Pod, port int32) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool { return declares(&c, port) })
}

func declares(c *corev1.Container, port int32) bool {
	return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == port })
}
