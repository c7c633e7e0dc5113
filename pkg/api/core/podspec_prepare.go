package core

import corev1 "k8s.io/api/core/v1"

// PreparePodTemplate drops from a workload's pod template what Prepare drops from pods.
func PreparePodTemplate(t *corev1.PodTemplateSpec) { dropGated(&t.Spec) }

// dropGated drops the fields of features that are off by default, as the real server does without a word.
func dropGated(s *corev1.PodSpec) {
	s.SchedulingGroup, s.EvictionResponders = nil, nil
	eachContainer(s, func(c *corev1.Container) {
		for _, p := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
			if p != nil {
				dropProtocol(p.HTTPGet)
				if p.GRPC != nil {
					p.GRPC.Mode = nil
				}
			}
		}
		for i := range c.VolumeMounts {
			c.VolumeMounts[i].BindMountOptions = nil
		}
		dropLifecycle(c)
	})
	for i := range s.Volumes {
		dropVolumeFields(&s.Volumes[i])
	}
}

func dropProtocol(a *corev1.HTTPGetAction) {
	if a != nil {
		a.Protocol = nil
	}
}

func dropLifecycle(c *corev1.Container) {
	l := c.Lifecycle
	if l == nil {
		return
	}
	for _, h := range []*corev1.LifecycleHandler{l.PostStart, l.PreStop} {
		if h != nil {
			dropProtocol(h.HTTPGet)
		}
	}
	if l.StopSignal == nil {
		return
	}
	if l.StopSignal = nil; *l == (corev1.Lifecycle{}) {
		c.Lifecycle = nil
	}
}

// dropVolumeFields drops the mode of empty directories and the owners of files.
func dropVolumeFields(v *corev1.Volume) {
	if v.EmptyDir != nil {
		v.EmptyDir.Mode = nil
	}
	if v.ConfigMap != nil {
		v.ConfigMap.DefaultUser = nil
		dropUsers(v.ConfigMap.Items)
	}
	if v.Secret != nil {
		v.Secret.DefaultUser = nil
		dropUsers(v.Secret.Items)
	}
	if v.DownwardAPI != nil {
		v.DownwardAPI.DefaultUser = nil
		dropFileUsers(v.DownwardAPI.Items)
	}
	if v.Projected == nil {
		return
	}
	v.Projected.DefaultUser = nil
	for i := range v.Projected.Sources {
		s := &v.Projected.Sources[i]
		if s.ConfigMap != nil {
			dropUsers(s.ConfigMap.Items)
		}
		if s.Secret != nil {
			dropUsers(s.Secret.Items)
		}
		if s.DownwardAPI != nil {
			dropFileUsers(s.DownwardAPI.Items)
		}
		if s.ServiceAccountToken != nil {
			s.ServiceAccountToken.User = nil
		}
	}
}

func dropUsers(items []corev1.KeyToPath) {
	for i := range items {
		items[i].User = nil
	}
}

func dropFileUsers(items []corev1.DownwardAPIVolumeFile) {
	for i := range items {
		items[i].User = nil
	}
}
