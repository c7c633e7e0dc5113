package core

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What a write of an ordinary pod costs beside encoding and storing it.
func BenchmarkPodCreate(b *testing.B) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web-1", Namespace: "default", Labels: map[string]string{"app": "web"}}}
	pod.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:1", Ports: []corev1.ContainerPort{{ContainerPort: 80}},
		VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}}}
	pod.Spec.Volumes = []corev1.Volume{{Name: "data"}}
	b.ReportAllocs()
	for b.Loop() {
		p := pod.DeepCopy()
		defaultPod(p)
		preparePod(p, nil)
		if errs := validatePod(p, nil); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}

func BenchmarkPodStatus(b *testing.B) {
	old := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web-1", Namespace: "default", ResourceVersion: "1"}}
	old.Spec.Containers = []corev1.Container{{Name: "web", Image: "web:1"}}
	defaultPod(old)
	preparePod(old, nil)
	b.ReportAllocs()
	for b.Loop() {
		p := old.DeepCopy()
		p.Status.Phase, p.Status.PodIP = corev1.PodRunning, "10.1.0.5"
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", Ready: true, State: running}}
		defaultPod(p)
		preparePodStatus(p, old)
		if errs := validatePodStatus(p, old); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}
