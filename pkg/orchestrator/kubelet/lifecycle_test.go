package kubelet

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/volume"
)

// newVolumesForTest mounts nothing.
func newVolumesForTest(k *Kubelet) *volume.Volumes {
	return volume.New(volume.Config{Dir: k.config.Dir, Sources: k})
}

func TestPodRunsAndIsDeleted(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		b.create(simplePod("web", "app"))
		p := b.until("web", "ready", ready)
		s := p.Status
		if s.PodIP != "10.244.0.2" || s.HostIP != "192.168.0.2" || s.StartTime == nil || s.QOSClass != corev1.PodQOSBestEffort {
			t.Errorf("status: pod IP %q, host IP %q, start %v, class %q", s.PodIP, s.HostIP, s.StartTime, s.QOSClass)
		}
		for _, c := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
			if got := condition(p, c); got.Status != corev1.ConditionTrue || got.LastTransitionTime.IsZero() {
				t.Errorf("condition %s: %+v", c, got)
			}
		}
		cs := s.ContainerStatuses[0]
		if cs.State.Running == nil || !cs.Ready || cs.Started == nil || !*cs.Started || cs.RestartCount != 0 || cs.Image != "registry/app:1" || len(cs.ContainerID) != len("hollow://")+64 {
			t.Errorf("container status: %+v", cs)
		}
		for _, want := range []string{
			`Normal Pulled Container image "registry/app:1" already present on machine and can be accessed by the pod`,
			"Normal Created Container created", "Normal Started Container started",
		} {
			b.wantEvent("web", want)
		}
		if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		b.gone("web")
		b.wantEvent("web", "Normal Killing Stopping container app")
		if left, _ := b.runtime.Sandboxes(b.Context()); len(left) > 0 {
			t.Errorf("sandboxes are left: %v", left)
		}
		if left, _ := filepath.Glob(filepath.Join(b.config.Dir, "*", "*")); len(left) > 0 {
			t.Errorf("files are left: %v", left)
		}
		_ = os.Remove
	})
}
