package kubelet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// planned writes a plan as "verb container, …".
func planned(p plan) string {
	var out []string
	for _, s := range p.steps {
		out = append(out, strings.TrimSpace(string(s.do)+" "+s.container))
	}
	return strings.Join(out, ", ")
}

// seen makes a view with a ready sandbox and containers written "name:state": run, exit0, exit1 ...
func seen(states ...string) *view {
	v := &view{sandbox: &container.Sandbox{ID: "uid-0", Ready: true}, attempts: 1, containers: map[string]*history{}, startTime: noon}
	for _, s := range states {
		name, state, _ := strings.Cut(s, ":")
		h := v.of(name)
		a := &attempt{Container: container.Container{ID: name + "-0", SandboxID: "uid-0", State: container.Running}}
		if state == "run" {
			h.started, h.ready = true, true
		}
		var code int32
		if n, _ := fmt.Sscanf(state, "exit%d", &code); n == 1 {
			a.State, a.Finished = container.Exited, noon
			a.End = &corev1.ContainerStateTerminated{ExitCode: code}
		}
		h.last = a
	}
	return v
}

func specOf(policy corev1.RestartPolicy, names ...string) *corev1.Pod {
	p := simplePod("p")
	p.UID = "uid"
	p.Spec.RestartPolicy = policy
	always := corev1.ContainerRestartPolicyAlways
	for _, n := range names {
		kind, name, ok := strings.Cut(n, "=")
		c := corev1.Container{Name: name}
		switch {
		case !ok:
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: n})
		case kind == "side":
			c.RestartPolicy = &always
			fallthrough
		default:
			p.Spec.InitContainers = append(p.Spec.InitContainers, c)
		}
	}
	return p
}

func TestDecide(t *testing.T) {
	const (
		always    = corev1.RestartPolicyAlways
		onFailure = corev1.RestartPolicyOnFailure
		never     = corev1.RestartPolicyNever
	)
	deleted := func(p *corev1.Pod, _ *view) { p.DeletionTimestamp = &metav1.Time{Time: noon} }
	tests := []struct {
		name   string
		pod    *corev1.Pod
		view   *view
		change func(*corev1.Pod, *view)
		want   string
		wake   time.Duration
	}{
		{name: "new", pod: specOf(always, "a"), view: &view{containers: map[string]*history{}}, want: "prepare"},
		{name: "being prepared", pod: specOf(always, "a"), view: &view{containers: map[string]*history{}, preparing: true}, want: ""},
		{name: "prepared badly", pod: specOf(always, "a"), view: &view{containers: map[string]*history{}, prepareAt: noon.Add(time.Second)}, want: "", wake: time.Second},
		{name: "first container", pod: specOf(always, "a", "b"), view: seen(), want: "start a"},
		{name: "second container", pod: specOf(always, "a", "b"), view: seen("a:run"), want: "start b"},
		{name: "one start at a time", pod: specOf(always, "a", "b"), view: seen(), change: func(_ *corev1.Pod, v *view) { v.of("a").starting = true }, want: ""},
		{name: "all run", pod: specOf(always, "a", "b"), view: seen("a:run", "b:run"), want: ""},
		{name: "restart at once", pod: specOf(always, "a"), view: seen("a:exit0"), want: "start a"},
		{name: "restart on failure", pod: specOf(onFailure, "a", "b"), view: seen("a:exit1", "b:exit0"), want: "start a"},
		{name: "done", pod: specOf(onFailure, "a"), view: seen("a:exit0"), want: "stop-sandbox"},
		{name: "never again", pod: specOf(never, "a"), view: seen("a:exit1"), want: "stop-sandbox"},
		{name: "back-off", pod: specOf(always, "a"), view: seen("a:exit1"), change: func(_ *corev1.Pod, v *view) {
			v.of("a").backoff = backoff{delay: 20 * time.Second, set: noon.Add(-time.Second)}
		}, want: "hold a", wake: 20 * time.Second},
		{name: "back-off forgotten", pod: specOf(always, "a"), view: seen("a:exit1"), change: func(_ *corev1.Pod, v *view) {
			v.of("a").backoff = backoff{delay: 20 * time.Second, set: noon.Add(-11 * time.Minute)}
		}, want: "start a"},
		{name: "held container does not hold others", pod: specOf(always, "a", "b"), view: seen(), change: func(_ *corev1.Pod, v *view) {
			v.of("a").held = &held{reason: errImagePull, retry: noon.Add(10 * time.Second)}
		}, want: "start b", wake: 10 * time.Second},
		{name: "pull error becomes back-off", pod: specOf(always, "a"), view: seen(), change: func(_ *corev1.Pod, v *view) {
			v.of("a").held = &held{reason: errImagePull, retry: noon.Add(10 * time.Second), shift: noon, next: &held{retry: noon.Add(10 * time.Second)}}
		}, want: "shift a", wake: 10 * time.Second},
		{name: "init first", pod: specOf(always, "init=i", "a"), view: seen(), want: "start i"},
		{name: "init runs", pod: specOf(always, "init=i", "a"), view: seen("i:run"), want: ""},
		{name: "init done", pod: specOf(always, "init=i", "a"), view: seen("i:exit0"), want: "start a"},
		{name: "init again", pod: specOf(always, "init=i", "a"), view: seen("i:exit1"), want: "start i"},
		{name: "init failed for good", pod: specOf(never, "init=i", "a"), view: seen("i:exit1"), want: "stop-sandbox"},
		{name: "sidecar not started", pod: specOf(always, "side=s", "a"), view: seen("s:up"), want: ""},
		{name: "sidecar started", pod: specOf(always, "side=s", "a"), view: seen("s:run"), want: "start a"},
		{name: "sidecar restarts", pod: specOf(never, "side=s", "a"), view: seen("s:exit1", "a:run"), want: "start s"},
		{name: "sidecar stops last", pod: specOf(never, "side=s", "a"), view: seen("s:run", "a:exit0"), want: "stop s"},
		{name: "condemned", pod: specOf(always, "a"), view: seen("a:run"), change: func(_ *corev1.Pod, v *view) {
			v.of("a").condemned = &verdict{message: "Container a failed liveness probe"}
		}, want: "stop a"},
		{name: "image changed", pod: specOf(never, "a"), view: seen("a:run"), change: func(p *corev1.Pod, v *view) {
			v.of("a").last.Config.ImageRef, p.Spec.Containers[0].Image = "one", "two"
		}, want: "stop a"},
		{name: "image changed, stopped", pod: specOf(never, "a"), view: seen("a:exit0"), change: func(p *corev1.Pod, v *view) {
			v.of("a").last.Config.ImageRef, p.Spec.Containers[0].Image = "one", "two"
		}, want: "start a"},
		{name: "sandbox lost", pod: specOf(always, "a"), view: seen("a:exit1"), change: func(_ *corev1.Pod, v *view) { v.sandbox.Ready = false }, want: "prepare"},
		{name: "sandbox of a finished pod", pod: specOf(never, "a"), view: seen("a:exit1"), change: func(_ *corev1.Pod, v *view) { v.sandbox.Ready = false }, want: ""},
		{name: "deleted", pod: specOf(always, "side=s", "a", "b"), view: seen("s:run", "a:run", "b:run"), change: deleted, want: "stop a, stop b"},
		{name: "deleted, sidecars' turn", pod: specOf(always, "side=r", "side=s", "a"), view: seen("r:run", "s:run", "a:exit0"), change: deleted, want: "stop s"},
		{name: "deleted and stopped", pod: specOf(always, "a"), view: seen("a:exit0"), change: deleted, want: "finish"},
		{name: "deleted during a pull", pod: specOf(always, "a"), view: seen(), change: func(p *corev1.Pod, v *view) { deleted(p, v); v.of("a").starting = true }, want: ""},
		{name: "gone from the API", pod: specOf(always, "a"), view: seen(), change: func(_ *corev1.Pod, v *view) { v.gone = true }, want: "finish"},
		{name: "failed", pod: specOf(always, "a"), view: seen("a:run"), change: func(_ *corev1.Pod, v *view) { v.failed = &failure{} }, want: "stop a"},
		{name: "deadline ahead", pod: specOf(always, "a"), view: seen("a:run"), change: func(p *corev1.Pod, _ *view) {
			s := int64(60)
			p.Spec.ActiveDeadlineSeconds = &s
		}, want: "", wake: time.Minute},
		{name: "deadline over", pod: specOf(always, "a"), view: seen("a:run"), change: func(p *corev1.Pod, v *view) {
			s := int64(60)
			p.Spec.ActiveDeadlineSeconds, v.startTime = &s, noon.Add(-time.Minute)
		}, want: "fail"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.change != nil {
				tt.change(tt.pod, tt.view)
			}
			p := decide(tt.pod, tt.view, noon)
			if got := planned(p); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var wake time.Time
			if tt.wake > 0 {
				wake = noon.Add(tt.wake)
			}
			if !p.wake.Equal(wake) {
				t.Errorf("wake at %v, want %v", p.wake, wake)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	var b backoff
	now := noon
	for _, want := range []time.Duration{10, 20, 40, 80, 160, 300, 300} {
		b = b.next(now, now)
		if b.delay != want*time.Second {
			t.Errorf("delay %s, want %s", b.delay, want*time.Second)
		}
		now = now.Add(b.delay)
	}
	if b = b.next(now.Add(11*time.Minute), now.Add(11*time.Minute)); b.delay != 10*time.Second {
		t.Errorf("after ten quiet minutes %s", b.delay)
	}
}

func TestRestarts(t *testing.T) {
	own := corev1.ContainerRestartPolicyNever
	rule := corev1.ContainerRestartRule{Action: "Restart", ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: "In", Values: []int32{42}}}
	tests := []struct {
		policy corev1.RestartPolicy
		c      corev1.Container
		code   int32
		want   bool
	}{
		{corev1.RestartPolicyAlways, corev1.Container{}, 0, true},
		{corev1.RestartPolicyOnFailure, corev1.Container{}, 0, false},
		{corev1.RestartPolicyOnFailure, corev1.Container{}, 1, true},
		{corev1.RestartPolicyNever, corev1.Container{}, 1, false},
		{corev1.RestartPolicyAlways, corev1.Container{RestartPolicy: &own}, 1, false},
		{corev1.RestartPolicyAlways, corev1.Container{RestartPolicy: &own, RestartPolicyRules: []corev1.ContainerRestartRule{rule}}, 42, true},
	}
	for _, tt := range tests {
		if got := restarts(&corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: tt.policy}}, &tt.c, tt.code); got != tt.want {
			t.Errorf("%s, %+v, code %d: got %v", tt.policy, tt.c, tt.code, got)
		}
	}
}
