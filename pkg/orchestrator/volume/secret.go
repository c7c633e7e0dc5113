package volume

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// secret keeps its files in memory only, where the agent may mount.
func (v *Volumes) secret(ctx context.Context, pod *corev1.Pod, s *corev1.SecretVolumeSource, dir string) error {
	files := payload{}
	if err := v.addSecret(ctx, pod.Namespace, s.SecretName, s.Items, mode(s.DefaultMode), s.Optional, files); err != nil {
		return err
	}
	if err := v.tmpfs(dir, "mode=0777"); err != nil {
		return err
	}
	return v.write(dir, files, fsGroup(pod))
}

func (v *Volumes) addSecret(ctx context.Context, namespace, name string, items []corev1.KeyToPath, def int32, optional *bool, into payload) error {
	s, err := v.config.Sources.Secret(ctx, namespace, name)
	if err != nil {
		if !apierrors.IsNotFound(err) || !isTrue(optional) {
			return err
		}
		s = &corev1.Secret{}
	}
	return addKeys(s.Data, items, def, isTrue(optional), "secret", into)
}
