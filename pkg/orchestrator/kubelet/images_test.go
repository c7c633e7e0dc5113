package kubelet

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
)

func TestPullFailure(t *testing.T) {
	tries := 0
	pull := func(ref string) (time.Duration, int64, error) {
		if tries++; tries < 3 {
			return 200 * time.Millisecond, 0, errors.New("registry/app:1: not found")
		}
		return 123 * time.Millisecond, 4711, nil
	}
	withHollow(t, hollow.Config{Pull: pull}, func(b *bed) {
		b.create(simplePod("web", "app"))
		waiting := func(reason string) func(p *corev1.Pod) bool {
			return func(p *corev1.Pod) bool {
				s := p.Status.ContainerStatuses
				return len(s) > 0 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == reason
			}
		}
		p := b.until("web", "failing to pull", waiting("ErrImagePull"))
		if got := p.Status.ContainerStatuses[0].State.Waiting.Message; got != "registry/app:1: not found" {
			t.Errorf("message %q", got)
		}
		p = b.until("web", "backing off", waiting("ImagePullBackOff"))
		if got, want := p.Status.ContainerStatuses[0].State.Waiting.Message, `Back-off pulling image "registry/app:1": ErrImagePull: registry/app:1: not found`; got != want {
			t.Errorf("message %q, want %q", got, want)
		}
		b.until("web", "ready", ready)
		for _, want := range []string{
			`Normal Pulling Pulling image "registry/app:1"`,
			`Warning Failed Failed to pull image "registry/app:1": registry/app:1: not found`,
			"Warning Failed Error: ErrImagePull", `Normal BackOff Back-off pulling image "registry/app:1"`, "Warning Failed Error: ImagePullBackOff",
			`Normal Pulled Successfully pulled image "registry/app:1" in 123ms (123ms including waiting). Image size: 4711 bytes.`,
		} {
			b.wantEvent("web", want)
		}
	})
}

func TestImagePolicies(t *testing.T) {
	withHollow(t, hollow.Config{NoCache: true}, func(b *bed) {
		never := simplePod("never", "app")
		never.Spec.Containers[0].ImagePullPolicy = corev1.PullNever
		b.create(never)
		p := b.until("never", "refused", func(p *corev1.Pod) bool {
			s := p.Status.ContainerStatuses
			return len(s) > 0 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == "ErrImageNeverPull"
		})
		if got, want := p.Status.ContainerStatuses[0].State.Waiting.Message, `Container image "registry/app:1" is not present with pull policy of Never`; got != want {
			t.Errorf("message %q, want %q", got, want)
		}
		bad := simplePod("bad", "app")
		bad.Spec.Containers[0].Image = "Upper"
		b.create(bad)
		p = b.until("bad", "refused", func(p *corev1.Pod) bool {
			s := p.Status.ContainerStatuses
			return len(s) > 0 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == "InvalidImageName"
		})
		if got, want := p.Status.ContainerStatuses[0].State.Waiting.Message,
			`Failed to apply default image tag "Upper": couldn't parse image name "Upper": invalid reference format: repository name (library/Upper) must be lowercase`; got != want {
			t.Errorf("message %q, want %q", got, want)
		}
	})
}

func TestImageChange(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		b.create(simplePod("web", "app"))
		p := b.until("web", "ready", ready)
		p.Spec.Containers[0].Image = "registry/app:2"
		if _, err := b.Client().CoreV1().Pods("default").Update(b.Context(), p, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		b.until("web", "restarted", func(p *corev1.Pod) bool {
			s := p.Status.ContainerStatuses[0]
			return s.RestartCount == 1 && s.Image == "registry/app:2" && ready(p) && p.Status.ObservedGeneration == p.Generation
		})
		b.wantEvent("web", "Normal Killing Container app definition changed, will be restarted")
	})
}
