package auth

import corev1 "k8s.io/api/core/v1"

// References are the names, in a pod's own namespace, of what the pod reads.
type References struct {
	Secrets, ConfigMaps map[string]bool
}

// ReferencesOf collects what a pod refers to: in volumes, in environments, and to pull its images.
func ReferencesOf(pod *corev1.Pod) References {
	r := References{map[string]bool{}, map[string]bool{}}
	for _, s := range pod.Spec.ImagePullSecrets {
		add(r.Secrets, s.Name)
	}
	for i := range pod.Spec.InitContainers {
		r.environment(pod.Spec.InitContainers[i].Env, pod.Spec.InitContainers[i].EnvFrom)
	}
	for i := range pod.Spec.Containers {
		r.environment(pod.Spec.Containers[i].Env, pod.Spec.Containers[i].EnvFrom)
	}
	for i := range pod.Spec.EphemeralContainers {
		r.environment(pod.Spec.EphemeralContainers[i].Env, pod.Spec.EphemeralContainers[i].EnvFrom)
	}
	for i := range pod.Spec.Volumes {
		r.volume(&pod.Spec.Volumes[i])
	}
	return r
}

func add(names map[string]bool, name string) {
	if name != "" {
		names[name] = true
	}
}

func (r References) environment(env []corev1.EnvVar, from []corev1.EnvFromSource) {
	for _, e := range env {
		if e.ValueFrom == nil {
			continue
		}
		if ref := e.ValueFrom.SecretKeyRef; ref != nil {
			add(r.Secrets, ref.Name)
		}
		if ref := e.ValueFrom.ConfigMapKeyRef; ref != nil {
			add(r.ConfigMaps, ref.Name)
		}
	}
	for _, f := range from {
		if f.SecretRef != nil {
			add(r.Secrets, f.SecretRef.Name)
		}
		if f.ConfigMapRef != nil {
			add(r.ConfigMaps, f.ConfigMapRef.Name)
		}
	}
}

func (r References) volume(v *corev1.Volume) {
	switch {
	case v.Secret != nil:
		add(r.Secrets, v.Secret.SecretName)
	case v.ConfigMap != nil:
		add(r.ConfigMaps, v.ConfigMap.Name)
	case v.CSI != nil && v.CSI.NodePublishSecretRef != nil:
		add(r.Secrets, v.CSI.NodePublishSecretRef.Name)
	case v.Projected != nil:
		for _, s := range v.Projected.Sources {
			if s.Secret != nil {
				add(r.Secrets, s.Secret.Name)
			}
			if s.ConfigMap != nil {
				add(r.ConfigMaps, s.ConfigMap.Name)
			}
		}
	}
}
