package volume

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

func (v *Volumes) configMap(ctx context.Context, pod *corev1.Pod, c *corev1.ConfigMapVolumeSource, dir string) error {
	files := payload{}
	if err := v.addConfigMap(ctx, pod.Namespace, c.Name, c.Items, mode(c.DefaultMode), c.Optional, files); err != nil {
		return err
	}
	return v.write(dir, files, fsGroup(pod))
}

// addConfigMap adds the files of a config map to a payload.
func (v *Volumes) addConfigMap(ctx context.Context, namespace, name string, items []corev1.KeyToPath, def int32, optional *bool, into payload) error {
	cm, err := v.config.Sources.ConfigMap(ctx, namespace, name)
	if err != nil {
		if !apierrors.IsNotFound(err) || !isTrue(optional) {
			return err
		}
		cm = &corev1.ConfigMap{}
	}
	data := make(map[string][]byte, len(cm.Data)+len(cm.BinaryData))
	for k, s := range cm.Data {
		data[k] = []byte(s)
	}
	for k, b := range cm.BinaryData {
		data[k] = b
	}
	return addKeys(data, items, def, isTrue(optional), "config", into)
}

// addKeys adds the chosen keys, or all, under their paths.
func addKeys(data map[string][]byte, items []corev1.KeyToPath, def int32, optional bool, what string, into payload) error {
	if len(items) == 0 {
		for k, b := range data {
			into[k] = file{data: b, mode: def}
		}
		return nil
	}
	for _, it := range items {
		b, ok := data[it.Key]
		if !ok {
			if optional {
				continue
			}
			return fmt.Errorf("references non-existent %s key: %s", what, it.Key)
		}
		path, err := cleanRelative(it.Path)
		if err != nil {
			return err
		}
		m := def
		if it.Mode != nil {
			m = *it.Mode
		}
		into[path] = file{data: b, mode: m}
	}
	return nil
}

func isTrue(b *bool) bool { return b != nil && *b }

// mode is a volume's default mode; the API server has set it to 0644.
func mode(m *int32) int32 {
	if m == nil {
		return 0o644
	}
	return *m
}
