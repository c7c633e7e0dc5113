package volume

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func (v *Volumes) downwardAPI(pod *corev1.Pod, d *corev1.DownwardAPIVolumeSource, dir string) error {
	files := payload{}
	if err := v.addDownward(pod, d.Items, mode(d.DefaultMode), files); err != nil {
		return err
	}
	return v.write(dir, files, fsGroup(pod))
}

func (v *Volumes) addDownward(pod *corev1.Pod, items []corev1.DownwardAPIVolumeFile, def int32, into payload) error {
	for _, it := range items {
		path, err := cleanRelative(it.Path)
		if err != nil {
			return err
		}
		f := file{mode: def}
		if it.Mode != nil {
			f.mode = *it.Mode
		}
		var text string
		switch {
		case it.FieldRef != nil:
			text, err = Field(pod, it.FieldRef.FieldPath)
		case it.ResourceFieldRef != nil:
			text, err = Resource(pod, "", it.ResourceFieldRef, v.config.Sources.Allocatable())
		}
		if err != nil {
			return err
		}
		f.data = []byte(text)
		into[path] = f
	}
	return nil
}

// Field gives the text of a field of a pod's metadata, or of what else is known from the object alone, as fieldRef names it.
func Field(pod *corev1.Pod, path string) (string, error) {
	if name, sub, ok := strings.Cut(path, "["); ok {
		key := strings.Trim(strings.TrimSuffix(sub, "]"), "'\"")
		switch name {
		case "metadata.annotations":
			return pod.Annotations[key], nil
		case "metadata.labels":
			return pod.Labels[key], nil
		}
		return "", fmt.Errorf("fieldPath %q does not support subscript", path)
	}
	switch path {
	case "metadata.annotations":
		return formatMap(pod.Annotations), nil
	case "metadata.labels":
		return formatMap(pod.Labels), nil
	case "metadata.name":
		return pod.Name, nil
	case "metadata.namespace":
		return pod.Namespace, nil
	case "metadata.uid":
		return string(pod.UID), nil
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, nil
	}
	return "", fmt.Errorf("unsupported fieldPath: %v", path)
}

func formatMap(m map[string]string) string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	lines := make([]string, 0, len(m))
	for _, k := range keys {
		lines = append(lines, fmt.Sprintf("%s=%q", k, m[k]))
	}
	return strings.Join(lines, "\n")
}

// Resource gives a container's request or limit as resourceFieldRef names it; limits that are not set are the node's
// allocatable. own is the container that asks, used where the reference names none.
func Resource(pod *corev1.Pod, own string, ref *corev1.ResourceFieldSelector, allocatable corev1.ResourceList) (string, error) {
	name := ref.ContainerName
	if name == "" {
		name = own
	}
	c := findContainer(pod, name)
	if c == nil {
		return "", fmt.Errorf("container %s not found", name)
	}
	kind, res, _ := strings.Cut(ref.Resource, ".")
	var q resource.Quantity
	switch kind {
	case "limits":
		q = c.Resources.Limits[corev1.ResourceName(res)]
		if q.IsZero() {
			q = allocatable[corev1.ResourceName(res)]
		}
	case "requests":
		q = c.Resources.Requests[corev1.ResourceName(res)]
	default:
		return "", fmt.Errorf("unsupported container resource : %v", ref.Resource)
	}
	divisor := ref.Divisor
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	if res == "cpu" {
		return strconv.FormatInt(int64(math.Ceil(float64(q.MilliValue())/float64(divisor.MilliValue()))), 10), nil
	}
	return strconv.FormatInt(int64(math.Ceil(float64(q.Value())/float64(divisor.Value()))), 10), nil
}

func findContainer(pod *corev1.Pod, name string) *corev1.Container {
	for _, list := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}
