package core

import (
	"cmp"
	"errors"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/api"
)

// ExposedPorts lists what the containers of a pod listen on.
func ExposedPorts(spec *corev1.PodSpec) []api.ExposedPort {
	var ports []api.ExposedPort
	for _, c := range spec.Containers {
		for _, p := range c.Ports {
			ports = append(ports, api.ExposedPort{Number: p.ContainerPort, Protocol: cmp.Or(p.Protocol, corev1.ProtocolTCP)})
		}
	}
	return ports
}

func exposePod(p *corev1.Pod) (api.Exposure, error) {
	e := api.Exposure{Selector: p.Labels, Ports: ExposedPorts(&p.Spec)}
	if len(p.Labels) == 0 {
		return e, errors.New("the pod has no labels and cannot be exposed")
	}
	return e, nil
}

func exposeService(s *corev1.Service) (api.Exposure, error) {
	e := api.Exposure{Selector: s.Spec.Selector}
	for _, p := range s.Spec.Ports {
		e.Ports = append(e.Ports, api.ExposedPort{Number: p.Port, Protocol: cmp.Or(p.Protocol, corev1.ProtocolTCP)})
	}
	if s.Spec.Selector == nil {
		return e, errors.New("the service has no pod selector set")
	}
	return e, nil
}
