package core

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func warnPod(p, old *corev1.Pod) []string { return nil }

// WarnPodTemplate gives the warnings about a workload's pod template.
func WarnPodTemplate(t *corev1.PodTemplateSpec, path *field.Path) []string { return nil }
