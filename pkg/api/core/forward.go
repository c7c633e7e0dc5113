package core

import (
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubeskiff/skiff/pkg/api"
)

// forwardPodPort finds a port of a pod by number or name. A number need not be declared.
func forwardPodPort(pod *corev1.Pod, port string) (number, target int32, err error) {
	if port == "" {
		return 0, 0, errors.New("remote port cannot be empty")
	}
	number, err = portNumber(port, func() (int32, error) { return namedPodPort(pod, port) })
	if err == nil && udpOnly(ExposedPorts(&pod.Spec), number) {
		err = fmt.Errorf("UDP protocol is not supported for %s", port)
	}
	return number, number, err
}

// forwardServicePort finds where in a pod a port of a service leads.
func forwardServicePort(s *corev1.Service, pod *corev1.Pod, port string) (number, target int32, err error) {
	number, err = portNumber(port, func() (int32, error) {
		for _, p := range s.Spec.Ports {
			if p.Name == port {
				return p.Port, nil
			}
		}
		return 0, fmt.Errorf("Service '%s' does not have a named port '%s'", s.Name, port)
	})
	if err != nil {
		return 0, 0, err
	}
	e, _ := exposeService(s)
	if udpOnly(e.Ports, number) {
		return 0, 0, fmt.Errorf("UDP protocol is not supported for %s", port)
	}
	for _, p := range s.Spec.Ports {
		switch {
		case p.Port != number:
			continue
		case s.Spec.ClusterIP == corev1.ClusterIPNone, p.TargetPort == intstr.IntOrString{}:
			return number, number, nil
		case p.TargetPort.Type == intstr.Int:
			return number, p.TargetPort.IntVal, nil
		}
		target, err = namedPodPort(pod, p.TargetPort.StrVal)
		return number, target, err
	}
	return 0, 0, fmt.Errorf("Service %s does not have a service port %d", s.Name, number)
}

// portNumber reads a number, or finds the port of a name.
func portNumber(port string, find func() (int32, error)) (int32, error) {
	if n, err := strconv.ParseInt(port, 10, 32); err == nil {
		return int32(n), nil
	}
	return find()
}

func namedPodPort(pod *corev1.Pod, name string) (int32, error) {
	for _, list := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for _, c := range list {
			for _, p := range c.Ports {
				if p.Name == name {
					return p.ContainerPort, nil
				}
			}
		}
	}
	return 0, fmt.Errorf("Pod '%s' does not have a named port '%s'", pod.Name, name)
}

// udpOnly holds for a declared port that takes UDP and no TCP.
func udpOnly(ports []api.ExposedPort, number int32) bool {
	udp := false
	for _, p := range ports {
		if p.Number == number {
			switch p.Protocol {
			case corev1.ProtocolTCP:
				return false
			case corev1.ProtocolUDP:
				udp = true
			}
		}
	}
	return udp
}
