package scheduler

import corev1 "k8s.io/api/core/v1"

// hostPort is a port of the node that a pod takes; an empty address stands for all.
type hostPort struct {
	ip       string
	protocol corev1.Protocol
	port     int32
}

// nodePorts turns nodes away where another pod has one of the pod's host ports.
var nodePorts = plugin{
	name:  "NodePorts",
	wakes: nodeAdded | podDeleted,
	filter: func(c *cycle) func(*node) *rejection {
		if len(c.pod.ports) == 0 {
			return nil
		}
		return func(n *node) *rejection {
			for _, want := range c.pod.ports {
				if n.portTaken(want) {
					return unfit("node(s) didn't have free ports for the requested pod ports")
				}
			}
			return nil
		}
	},
}

func (n *node) portTaken(want hostPort) bool {
	if want.ip != "" {
		return n.ports[want] > 0 || n.ports[hostPort{"", want.protocol, want.port}] > 0
	}
	for taken := range n.ports {
		if taken.protocol == want.protocol && taken.port == want.port {
			return true
		}
	}
	return false
}

func hostPorts(pod *corev1.Pod) []hostPort {
	var ports []hostPort
	take := func(c *corev1.Container) {
		for _, p := range c.Ports {
			if p.HostPort <= 0 {
				continue
			}
			port := hostPort{p.HostIP, p.Protocol, p.HostPort}
			if port.ip == "0.0.0.0" {
				port.ip = ""
			}
			if port.protocol == "" {
				port.protocol = corev1.ProtocolTCP
			}
			ports = append(ports, port)
		}
	}
	for i := range pod.Spec.Containers {
		take(&pod.Spec.Containers[i])
	}
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			take(c)
		}
	}
	return ports
}
