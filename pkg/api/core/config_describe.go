package core

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/api"
)

// describeConfigMap writes what `describe configmap` shows: all of its text, and how long its binary data are.
func describeConfigMap(ctx context.Context, w *api.DescribeWriter, c api.Reader, m *corev1.ConfigMap) error {
	w.Head(m)
	w.Print(0, "\nData\n====\n")
	for _, key := range slices.Sorted(maps.Keys(m.Data)) {
		w.Print(0, "%s:\n----\n", key)
		w.Print(0, "%s\n", m.Data[key])
		w.Print(0, "\n")
	}
	w.Print(0, "\nBinaryData\n====\n")
	for _, key := range slices.Sorted(maps.Keys(m.BinaryData)) {
		w.Print(0, "%s: %d bytes\n", key, len(m.BinaryData[key]))
	}
	w.Print(0, "\n")
	w.EventsOf(ctx, c, m, "ConfigMap")
	return nil
}

// describeSecret writes what `describe secret` shows: how long each value is, never a value but a service account's token.
func describeSecret(_ context.Context, w *api.DescribeWriter, _ api.Reader, s *corev1.Secret) error {
	w.Head(s)
	w.Print(0, "\nType:\t%s\n", s.Type)
	w.Print(0, "\nData\n====\n")
	for _, key := range slices.Sorted(maps.Keys(s.Data)) {
		if key == corev1.ServiceAccountTokenKey && s.Type == corev1.SecretTypeServiceAccountToken {
			w.Field(0, key, string(s.Data[key]))
			continue
		}
		w.Print(0, "%s:\t%d bytes\n", key, len(s.Data[key]))
	}
	return nil
}
