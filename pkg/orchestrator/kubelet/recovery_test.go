package kubelet

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
)

func TestAgentRestart(t *testing.T) {
	onBed(t, map[string]hollow.Behaviour{"short": exits(7, time.Minute)}, func(b *bed) {
		b.create(simplePod("stays", "app"))
		never := simplePod("ends", "short")
		never.Spec.RestartPolicy = corev1.RestartPolicyNever
		b.create(never)
		b.create(simplePod("leaves", "app"))
		stays := b.until("stays", "ready", ready)
		b.until("ends", "running", running)
		b.until("leaves", "running", running)
		b.stop()
		zero := int64(0)
		if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), "leaves", metav1.DeleteOptions{GracePeriodSeconds: &zero}); err != nil {
			t.Fatal(err)
		}
		b.Pass(2 * time.Minute)
		b.start()
		p := b.until("ends", "failed", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
		if s := p.Status.ContainerStatuses[0].State.Terminated; s == nil || s.ExitCode != 7 {
			t.Errorf("state of what ended meanwhile: %+v", p.Status.ContainerStatuses[0].State)
		}
		b.Wait("the orphan is gone", func() bool { s, _ := b.runtime.Sandboxes(b.Context()); return len(s) == 2 })
		b.Pass(time.Minute)
		p = b.get("stays")
		if got, want := p.Status.ContainerStatuses[0].ContainerID, stays.Status.ContainerStatuses[0].ContainerID; got != want || !ready(p) || p.Status.ContainerStatuses[0].RestartCount != 0 {
			t.Errorf("what ran did not stay: %+v", p.Status.ContainerStatuses[0])
		}
	})
}

func TestShimDies(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		p := b.create(simplePod("web", "app"))
		b.until("web", "ready", ready)
		b.runtime.KillShim(sandboxID(p.UID, 0))
		p = b.until("web", "restarted", func(p *corev1.Pod) bool {
			return p.Status.ContainerStatuses[0].RestartCount == 1 && ready(p)
		})
		last := p.Status.ContainerStatuses[0].LastTerminationState.Terminated
		if last == nil || last.Reason != "ShimDied" || last.ExitCode != 137 || last.Message == "" {
			t.Errorf("last state: %+v", last)
		}
		b.wantEvent("web", "Warning Failed Container app was lost: the shim of the container was killed")
		b.wantEvent("web", "Normal SandboxChanged Pod sandbox changed, it will be killed and re-created.")
	})
}

// lostStart loses the shim inside its first start, and the start's answer comes before any event.
type lostStart struct {
	*hollow.Runtime
	lost bool
}

func (r *lostStart) StartContainer(ctx context.Context, id string) error {
	if err := r.Runtime.StartContainer(ctx, id); err != nil || r.lost {
		return err
	}
	r.lost = true
	c, err := r.ContainerStatus(ctx, id)
	r.KillShim(c.SandboxID)
	return errors.Join(err, errors.New("the shim does not answer"))
}

func (r *lostStart) Events(context.Context) (<-chan container.Event, error) {
	return make(chan container.Event), nil
}

func TestShimDiesInsideAStart(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		b.stop()
		b.config.Runtime = &lostStart{Runtime: b.runtime}
		b.start()
		b.create(simplePod("web", "app"))
		restarted := func(p *corev1.Pod) bool {
			return ready(p) && p.Status.ContainerStatuses[0].RestartCount == 1
		}
		first := b.until("web", "restarted", restarted).Status.ContainerStatuses[0]
		if end := first.LastTerminationState.Terminated; end == nil || end.Reason != "ShimDied" {
			t.Errorf("last state: %+v", end)
		}
		b.wantEvent("web", "Normal SandboxChanged Pod sandbox changed, it will be killed and re-created.")
		b.stop()
		b.start()
		b.Pass(time.Minute)
		p := b.get("web")
		if got := p.Status.ContainerStatuses[0]; got.ContainerID != first.ContainerID || !restarted(p) {
			t.Errorf("what ran did not stay: %+v after %+v", got, first)
		}
	})
}

func TestShimDiesUnheard(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		// The API does not hear of it from the agent that sees it, and that one is gone before it can say so.
		p := b.create(simplePod("web", "app"))
		first := b.until("web", "ready", ready).Status.ContainerStatuses[0].ContainerID
		b.runtime.KillShim(sandboxID(p.UID, 0))
		b.until("web", "restarted", func(p *corev1.Pod) bool { return p.Status.ContainerStatuses[0].RestartCount == 1 && ready(p) })
		b.stop()
		told := b.get("web")
		told.Status.ContainerStatuses[0].RestartCount, told.Status.ContainerStatuses[0].ContainerID = 0, ""
		told.Status.ContainerStatuses[0].LastTerminationState = corev1.ContainerState{}
		if _, err := b.Client().CoreV1().Pods("default").UpdateStatus(b.Context(), told, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		b.start()
		p = b.until("web", "told of its restart", func(p *corev1.Pod) bool { return p.Status.ContainerStatuses[0].RestartCount == 1 })
		if end := p.Status.ContainerStatuses[0].LastTerminationState.Terminated; end == nil || end.Reason != "ShimDied" || end.ContainerID != first {
			t.Errorf("last state: %+v", end)
		}
		if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		b.gone("web")
		if left, _ := b.runtime.Sandboxes(b.Context()); len(left) > 0 {
			t.Errorf("sandboxes are left: %v", left)
		}
	})
}

func TestRebootedNode(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		b.create(simplePod("always", "app"))
		never := simplePod("never", "app")
		never.Spec.RestartPolicy = corev1.RestartPolicyNever
		b.create(never)
		b.until("always", "ready", ready)
		b.until("never", "ready", ready)
		b.stop()
		// Nothing is left of what ran.
		b.runtime = hollow.New(hollow.Config{})
		b.config.Runtime, b.config.Images = b.runtime, b.runtime.Images()
		b.start()
		p := b.until("never", "failed", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
		if s := p.Status.ContainerStatuses[0].State.Terminated; s == nil || s.Reason != "ContainerStatusUnknown" || s.ExitCode != 137 {
			t.Errorf("state: %+v", p.Status.ContainerStatuses[0].State)
		}
		p = b.until("always", "restarted", func(p *corev1.Pod) bool { return p.Status.ContainerStatuses[0].RestartCount == 1 && ready(p) })
		if s := p.Status.ContainerStatuses[0].LastTerminationState.Terminated; s == nil || s.Reason != "ContainerStatusUnknown" {
			t.Errorf("last state: %+v", s)
		}
	})
}

// pastSandboxes tells of the sandboxes as they were before something happened.
type pastSandboxes struct {
	container.Runtime
	happens func()
}

func (r pastSandboxes) Sandboxes(ctx context.Context) ([]container.Sandbox, error) {
	past, err := r.Runtime.Sandboxes(ctx)
	r.happens()
	return past, err
}

func TestEndWhileTheAgentTakesStock(t *testing.T) {
	onBed(t, map[string]hollow.Behaviour{"app": {StopCode: 9}}, func(b *bed) {
		once := simplePod("once", "app")
		once.Spec.RestartPolicy = corev1.RestartPolicyNever
		b.create(once)
		id := b.until("once", "ready", ready).Status.ContainerStatuses[0].ContainerID
		b.stop()
		b.config.Runtime = pastSandboxes{b.runtime, func() {
			if err := b.runtime.StopContainer(b.Context(), strings.TrimPrefix(id, "hollow://"), "", time.Second); err != nil {
				t.Error(err)
			}
			b.Pass(time.Second) // nobody is there yet to hear of it
		}}
		b.start()
		p := b.until("once", "failed", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
		if s := p.Status.ContainerStatuses[0].State.Terminated; s == nil || s.ExitCode != 9 {
			t.Errorf("state: %+v", p.Status.ContainerStatuses[0].State)
		}
	})
}

// slowSandboxes makes each sandbox a while after it was asked to, whether or not anybody still waits.
type slowSandboxes struct{ container.Runtime }

func (r slowSandboxes) StartSandbox(ctx context.Context, c container.SandboxConfig) (container.Sandbox, error) {
	sleep(context.WithoutCancel(ctx), time.Second)
	return r.Runtime.StartSandbox(ctx, c)
}

func TestPodIsDeletedWhileItsSandboxIsMade(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		b.stop()
		b.config.Runtime = slowSandboxes{b.runtime}
		b.start()
		b.create(simplePod("brief", "app"))
		b.Pass(500 * time.Millisecond)
		if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), "brief", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		b.gone("brief")
		if left, _ := b.runtime.Sandboxes(b.Context()); len(left) > 0 {
			t.Errorf("sandboxes are left: %v", left)
		}
	})
}

func TestPodsLeaveNothingBehind(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		for round := range 3 {
			for _, name := range []string{"a", "b", "c"} {
				b.create(simplePod(name, "app"))
			}
			b.Pass(time.Duration(round) * 4 * time.Millisecond) // deleted while they start, too
			for _, name := range []string{"a", "b", "c"} {
				if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), name, metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"a", "b", "c"} {
				b.gone(name)
			}
		}
		b.Wait("no worker is left", func() bool {
			b.k.mu.Lock()
			defer b.k.mu.Unlock()
			return len(b.k.workers) == 0
		})
		if left, _ := b.runtime.Sandboxes(b.Context()); len(left) > 0 {
			t.Errorf("sandboxes are left: %v", left)
		}
		b.k.objects.mu.Lock()
		defer b.k.objects.mu.Unlock()
		if len(b.k.objects.refs) > 0 {
			t.Errorf("objects are still watched: %v", b.k.objects.refs)
		}
	})
}
