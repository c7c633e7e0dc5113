package resource

import (
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// DefaultContainer is the annotation that names the container one means when one names none.
const DefaultContainer = "kubectl.kubernetes.io/default-container"

// FindContainer finds a container of any sort by name; path is the field that it stands in, with its name in braces.
func FindContainer(pod *corev1.Pod, name string) (c *corev1.Container, path string) {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == name {
			return &pod.Spec.Containers[i], "spec.containers{" + name + "}"
		}
	}
	for i := range pod.Spec.InitContainers {
		if pod.Spec.InitContainers[i].Name == name {
			return &pod.Spec.InitContainers[i], "spec.initContainers{" + name + "}"
		}
	}
	for i := range pod.Spec.EphemeralContainers {
		if e := &pod.Spec.EphemeralContainers[i]; e.Name == name {
			return (*corev1.Container)(&e.EphemeralContainerCommon), "spec.ephemeralContainers{" + name + "}"
		}
	}
	return nil, ""
}

// ChooseContainer finds the container of a name; for no name the one that the pod's annotation names, else the first, and says
// so on warn (unless that is nil) if there are others.
func ChooseContainer(pod *corev1.Pod, name string, warn io.Writer) (*corev1.Container, error) {
	if len(pod.Spec.Containers) == 0 {
		return nil, fmt.Errorf("pod %s/%s does not have any containers", pod.Namespace, pod.Name)
	}
	if name == "" {
		name = pod.Annotations[DefaultContainer]
	}
	if name != "" {
		c, _ := FindContainer(pod, name)
		if c == nil {
			return nil, NoContainer(pod, name)
		}
		return c, nil
	}
	c := &pod.Spec.Containers[0]
	if warn != nil && len(pod.Spec.Containers)+len(pod.Spec.InitContainers)+len(pod.Spec.EphemeralContainers) > 1 {
		fmt.Fprintf(warn, "Defaulted container %q out of: %s\n", c.Name, ContainerNames(pod))
	}
	return c, nil
}

// NoContainer is the error of a name that no container has.
func NoContainer(pod *corev1.Pod, name string) error {
	return fmt.Errorf("container %s is not valid for pod %s out of: %s", name, pod.Name, ContainerNames(pod))
}

// ContainerNames lists the names of all containers for messages.
func ContainerNames(pod *corev1.Pod) string {
	var names []string
	for _, c := range pod.Spec.Containers {
		names = append(names, c.Name)
	}
	for _, c := range pod.Spec.EphemeralContainers {
		names = append(names, c.Name+" (ephem)")
	}
	for _, c := range pod.Spec.InitContainers {
		names = append(names, c.Name+" (init)")
	}
	return strings.Join(names, ", ")
}
