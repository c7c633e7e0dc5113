package run

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubeskiff/skiff/pkg/resource"
)

// pod makes the pod of the flags.
func (o *Options) pod() (*corev1.Pod, error) {
	annotations, err := pairs(o.Annotations, "invalid annotations format")
	if err != nil {
		return nil, err
	}
	labels := map[string]string{"run": o.Name}
	if o.Labels != "" {
		if labels, err = pairs(strings.Split(o.Labels, ","), "unexpected label spec"); err != nil {
			return nil, err
		}
	}
	container := corev1.Container{
		Name: o.Name, Image: o.Image, ImagePullPolicy: corev1.PullPolicy(o.PullPolicy),
		Stdin: o.Stdin, StdinOnce: o.Stdin && !o.LeaveStdinOpen, TTY: o.TTY,
	}
	if o.Command {
		container.Command = o.Args
	} else {
		container.Args = o.Args
	}
	if container.Env, err = parseEnv(o.Env); err != nil {
		return nil, err
	}
	if o.Port != "" {
		port, err := strconv.ParseInt(o.Port, 10, 32)
		if err != nil {
			return nil, err
		}
		container.Ports = []corev1.ContainerPort{{ContainerPort: int32(port)}}
	}
	if o.Privileged {
		container.SecurityContext = &corev1.SecurityContext{Privileged: new(true)}
	}
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: o.Name, Labels: labels, Annotations: annotations},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{container}, RestartPolicy: corev1.RestartPolicy(o.Restart), DNSPolicy: corev1.DNSClusterFirst,
		},
	}
	if o.Overrides == "" {
		return pod, nil
	}
	return o.override(pod)
}

func parseEnv(list []string) ([]corev1.EnvVar, error) {
	var out []corev1.EnvVar
	for _, env := range list {
		key, value, ok := strings.Cut(env, "=")
		if !ok || key == "" || len(validation.IsEnvVarName(key)) > 0 {
			return nil, fmt.Errorf("invalid env: %v", env)
		}
		out = append(out, corev1.EnvVar{Name: key, Value: value})
	}
	return out, nil
}

// override lays --overrides over the pod.
func (o *Options) override(pod *corev1.Pod) (*corev1.Pod, error) {
	kinds := map[string]types.PatchType{"merge": types.MergePatchType, "strategic": types.StrategicMergePatchType, "json": types.JSONPatchType}
	typ, ok := kinds[o.OverrideType]
	if !ok {
		return nil, fmt.Errorf("invalid override type: %v", o.OverrideType)
	}
	current, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	patched, err := resource.PatchLocally(pod.GroupVersionKind(), current, []byte(o.Overrides), typ)
	if err != nil {
		return nil, err
	}
	out := &corev1.Pod{}
	return out, json.Unmarshal(patched, out)
}
