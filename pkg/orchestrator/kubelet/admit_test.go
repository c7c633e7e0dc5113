package kubelet

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAdmission(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		first := simplePod("first", "app")
		first.Spec.Containers[0].Resources.Requests = list("", "1Gi")
		b.create(first)
		b.until("first", "ready", ready)
		huge := simplePod("huge", "app")
		huge.Spec.Containers[0].Resources.Requests = list("1000", "")
		b.create(huge)
		p := b.until("huge", "refused", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
		if p.Status.Reason != "OutOfcpu" || !strings.HasPrefix(p.Status.Message, "Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, used: 0, capacity: ") {
			t.Errorf("reason %q, message %q", p.Status.Reason, p.Status.Message)
		}
		if !ready(b.get("first")) {
			t.Error("the first pod suffers")
		}
	})
}

func TestFits(t *testing.T) {
	capacity := list("2", "4Gi")
	capacity[corev1.ResourcePods] = resource.MustParse("2")
	pod := func(cpu, memory string) *corev1.Pod {
		p := simplePod("p", "a")
		p.Spec.Containers[0].Resources.Requests = list(cpu, memory)
		return p
	}
	for _, tt := range []struct {
		pod    *corev1.Pod
		others []*corev1.Pod
		reason string
	}{
		{pod("2", "4Gi"), nil, ""},
		{pod("1500m", ""), []*corev1.Pod{pod("501m", "")}, "OutOfcpu"},
		{pod("", "3Gi"), []*corev1.Pod{pod("", "2Gi")}, "OutOfmemory"},
		{pod("", ""), []*corev1.Pod{pod("", ""), pod("", "")}, "OutOfpods"},
	} {
		if reason, message := fits(tt.pod, tt.others, capacity); reason != tt.reason {
			t.Errorf("got %s (%s), want %s", reason, message, tt.reason)
		}
	}
}

func TestResize(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		pod := simplePod("web", "app")
		pod.Spec.Containers[0].Resources = corev1.ResourceRequirements{Limits: list("100m", "64Mi"), Requests: list("100m", "64Mi")}
		b.create(pod)
		p := b.until("web", "ready", ready)
		p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Limits: list("200m", "64Mi"), Requests: list("200m", "64Mi")}
		if _, err := b.Client().CoreV1().Pods("default").UpdateResize(b.Context(), "web", p, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		b.Wait("the quota is raised", func() bool {
			s, _ := b.runtime.Sandboxes(b.Context())
			return s[0].Containers[0].Config.Resources.CPUQuota == 20000
		})
		p = b.until("web", "said so", func(p *corev1.Pod) bool {
			return p.Status.ContainerStatuses[0].AllocatedResources.Cpu().MilliValue() == 200
		})
		if p.Status.ContainerStatuses[0].RestartCount != 0 {
			t.Errorf("restarted %d times", p.Status.ContainerStatuses[0].RestartCount)
		}
	})
}
