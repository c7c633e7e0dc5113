package kubelet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
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
	})
}

func exits(code int, after time.Duration) hollow.Behaviour {
	return hollow.Behaviour{Ends: true, Code: code, After: after}
}

func TestCrashLoop(t *testing.T) {
	onBed(t, map[string]hollow.Behaviour{"app": exits(3, 100*time.Millisecond)}, func(b *bed) {
		began := time.Now()
		b.create(simplePod("crash", "app"))
		p := b.until("crash", "backing off", func(p *corev1.Pod) bool {
			s := p.Status.ContainerStatuses
			return len(s) > 0 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == "CrashLoopBackOff"
		})
		s := p.Status.ContainerStatuses[0]
		if want := "back-off 10s restarting failed container=app pod=crash_default(" + string(p.UID) + ")"; s.State.Waiting.Message != want {
			t.Errorf("message %q, want %q", s.State.Waiting.Message, want)
		}
		if s.RestartCount != 1 || s.LastTerminationState.Terminated == nil || s.LastTerminationState.Terminated.ExitCode != 3 || s.LastTerminationState.Terminated.Reason != "Error" {
			t.Errorf("status: %+v", s)
		}
		if p.Status.Phase != corev1.PodRunning {
			t.Errorf("phase %s, want Running", p.Status.Phase)
		}
		b.until("crash", "restarted five times", func(p *corev1.Pod) bool { return p.Status.ContainerStatuses[0].RestartCount == 5 })
		// At once, then after 10, 20, 40 and 80 seconds.
		if took := time.Since(began); took < 150*time.Second || took > 153*time.Second {
			t.Errorf("five restarts took %s", took)
		}
		b.wantEvent("crash", "Warning BackOff Back-off restarting failed container app in pod crash_default(")
	})
}

func TestPhases(t *testing.T) {
	tests := []struct {
		name      string
		policy    corev1.RestartPolicy
		behaviour map[string]hollow.Behaviour
		want      corev1.PodPhase
		reason    string
	}{
		{"all succeed", corev1.RestartPolicyNever, map[string]hollow.Behaviour{"a": exits(0, time.Second), "b": exits(0, 2*time.Second)}, corev1.PodSucceeded, "PodCompleted"},
		{"one fails", corev1.RestartPolicyNever, map[string]hollow.Behaviour{"a": exits(1, time.Second), "b": exits(0, 2*time.Second)}, corev1.PodFailed, "PodFailed"},
		{"on failure succeeds", corev1.RestartPolicyOnFailure, map[string]hollow.Behaviour{"a": exits(0, time.Second), "b": exits(0, time.Second)}, corev1.PodSucceeded, "PodCompleted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onBed(t, tt.behaviour, func(b *bed) {
				pod := simplePod("job", "a", "b")
				pod.Spec.RestartPolicy = tt.policy
				b.create(pod)
				p := b.until("job", "over", func(p *corev1.Pod) bool { return terminal(p.Status.Phase) })
				if p.Status.Phase != tt.want || condition(p, corev1.PodReady).Reason != tt.reason {
					t.Errorf("phase %s, ready %+v", p.Status.Phase, condition(p, corev1.PodReady))
				}
				b.Wait("the sandbox is stopped", func() bool {
					s, _ := b.runtime.Sandboxes(b.Context())
					return len(s) == 1 && !s[0].Ready
				})
				if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), "job", metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
				b.gone("job")
			})
		})
	}
}

func TestInitContainersAndSidecars(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	var order []string
	var mu sync.Mutex
	behave := func(c container.ContainerConfig) hollow.Behaviour {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, c.Name)
		switch c.Name {
		case "first", "second":
			return exits(0, time.Second)
		}
		return hollow.Behaviour{}
	}
	withHollow(t, hollow.Config{Behave: behave}, func(b *bed) {
		pod := simplePod("web", "app")
		for _, name := range []string{"first", "side", "second"} {
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, corev1.Container{Name: name, Image: "i", ImagePullPolicy: corev1.PullIfNotPresent, Command: []string{"run"}})
		}
		pod.Spec.InitContainers[1].RestartPolicy = &always
		b.create(pod)
		p := b.until("web", "initializing", func(p *corev1.Pod) bool {
			return len(p.Status.InitContainerStatuses) == 3 && p.Status.InitContainerStatuses[0].State.Running != nil
		})
		if c := condition(p, corev1.PodInitialized); c.Status != corev1.ConditionFalse || c.Reason != "ContainersNotInitialized" || c.Message != "containers with incomplete status: [first side second]" {
			t.Errorf("initialized: %+v", c)
		}
		if w := p.Status.ContainerStatuses[0].State.Waiting; w == nil || w.Reason != "PodInitializing" {
			t.Errorf("state of app: %+v", p.Status.ContainerStatuses[0].State)
		}
		p = b.until("web", "ready", ready)
		if got := strings.Join(order, " "); got != "first side second app" {
			t.Errorf("order %s", got)
		}
		if s := p.Status.InitContainerStatuses; !s[0].Ready || s[0].State.Terminated == nil || s[0].State.Terminated.Reason != "Completed" || !s[1].Ready || s[1].State.Running == nil {
			t.Errorf("init statuses: %+v", s)
		}
		if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		b.gone("web")
		var kills []string
		for _, e := range b.eventsOf("web") {
			if name, ok := strings.CutPrefix(e, "Normal Killing Stopping container "); ok {
				kills = append(kills, name)
			}
		}
		if got := strings.Join(kills, " "); got != "app side" {
			t.Errorf("stopped in order %q", got)
		}
	})
}

func TestInitFailure(t *testing.T) {
	onBed(t, map[string]hollow.Behaviour{"init": exits(1, time.Second)}, func(b *bed) {
		pod := simplePod("web", "app")
		pod.Spec.RestartPolicy = corev1.RestartPolicyNever
		pod.Spec.InitContainers = []corev1.Container{{Name: "init", Image: "i", ImagePullPolicy: corev1.PullIfNotPresent, Command: []string{"run"}}}
		b.create(pod)
		p := b.until("web", "failed", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
		if w := p.Status.ContainerStatuses[0].State.Waiting; w == nil || w.Reason != "PodInitializing" {
			t.Errorf("state of app: %+v", p.Status.ContainerStatuses[0].State)
		}
	})
}

func TestGraceAndForce(t *testing.T) {
	onBed(t, map[string]hollow.Behaviour{"app": {StopTakes: time.Hour}}, func(b *bed) {
		b.create(simplePod("slow", "app"))
		b.until("slow", "running", running)
		began := time.Now()
		five := int64(5)
		if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), "slow", metav1.DeleteOptions{GracePeriodSeconds: &five}); err != nil {
			t.Fatal(err)
		}
		b.gone("slow")
		if took := time.Since(began); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("deletion with a grace of 5 s took %s", took)
		}
		b.create(simplePod("forced", "app"))
		b.until("forced", "running", running)
		zero := int64(0)
		if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), "forced", metav1.DeleteOptions{GracePeriodSeconds: &zero}); err != nil {
			t.Fatal(err)
		}
		b.gone("forced")
		b.Wait("its sandbox is gone", func() bool { s, _ := b.runtime.Sandboxes(b.Context()); return len(s) == 0 })
	})
}

func TestHooks(t *testing.T) {
	var mu sync.Mutex
	var ran []string
	exec := func(_ context.Context, e container.ExecConfig) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		ran = append(ran, strings.Join(e.Args, " "))
		if e.Args[0] == "bad" {
			return 1, nil
		}
		return 0, nil
	}
	onBed(t, map[string]hollow.Behaviour{"app": {Exec: exec}, "broken": {Exec: exec}}, func(b *bed) {
		pod := simplePod("web", "app")
		pod.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{
			PostStart: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"hello"}}},
			PreStop:   &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"bye"}}},
		}
		b.create(pod)
		b.until("web", "ready", ready)
		if err := b.Client().CoreV1().Pods("default").Delete(b.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		b.gone("web")
		if got := strings.Join(ran, ", "); got != "hello, bye" {
			t.Errorf("hooks ran: %s", got)
		}
		broken := simplePod("broken", "broken")
		broken.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"bad"}}}}
		b.create(broken)
		b.until("broken", "restarted", func(p *corev1.Pod) bool {
			return len(p.Status.ContainerStatuses) > 0 && p.Status.ContainerStatuses[0].RestartCount >= 2
		})
		b.wantEvent("broken", "Warning FailedPostStartHook PostStartHook failed")
	})
}

func TestDeadline(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		pod := simplePod("web", "app")
		seconds := int64(60)
		pod.Spec.ActiveDeadlineSeconds = &seconds
		b.create(pod)
		b.until("web", "running", running)
		p := b.until("web", "failed", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
		if p.Status.Reason != "DeadlineExceeded" || p.Status.Message != "Pod was active on the node longer than the specified deadline" {
			t.Errorf("reason %q, message %q", p.Status.Reason, p.Status.Message)
		}
		p = b.until("web", "stopped", func(p *corev1.Pod) bool { return p.Status.ContainerStatuses[0].State.Terminated != nil })
		if p.Status.Reason != "DeadlineExceeded" {
			t.Errorf("reason %q", p.Status.Reason)
		}
	})
}

func TestFailedStart(t *testing.T) {
	onBed(t, map[string]hollow.Behaviour{"app": {StartError: errors.New("no such program")}}, func(b *bed) {
		once := simplePod("once", "app")
		once.Spec.RestartPolicy = corev1.RestartPolicyNever
		b.create(once)
		b.create(simplePod("again", "app"))
		p := b.until("once", "failed", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
		if s := p.Status.ContainerStatuses[0].State.Terminated; s == nil || s.Reason != "StartError" || s.ExitCode != 128 {
			t.Errorf("state of one that is not started again: %+v", p.Status.ContainerStatuses[0].State)
		}
		p = b.until("again", "started again", func(p *corev1.Pod) bool {
			return len(p.Status.ContainerStatuses) > 0 && p.Status.ContainerStatuses[0].RestartCount > 0
		})
		if s := p.Status.ContainerStatuses[0]; s.State.Waiting == nil || s.LastTerminationState.Terminated == nil {
			t.Errorf("state of one that is: %+v", s)
		}
	})
}

func TestOOM(t *testing.T) {
	onBed(t, map[string]hollow.Behaviour{"app": {Ends: true, Code: 137, OOM: true, Message: "last words"}}, func(b *bed) {
		pod := simplePod("big", "app")
		pod.Spec.RestartPolicy = corev1.RestartPolicyNever
		b.create(pod)
		p := b.until("big", "failed", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed })
		if s := p.Status.ContainerStatuses[0].State.Terminated; s == nil || s.Reason != "OOMKilled" || s.ExitCode != 137 || s.Message != "last words" {
			t.Errorf("state: %+v", s)
		}
	})
}

func TestConfigMapReachesTheRunningPod(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: "default"}, Data: map[string]string{"level": "info"}}
		pod := simplePod("web", "app")
		pod.Spec.Volumes = []corev1.Volume{{Name: "settings", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}}
		pod.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "settings", MountPath: "/etc/app"}}
		p := b.create(pod)
		b.wantEvent("web", `Warning FailedMount MountVolume.SetUp failed for volume "settings" : configmap "settings" not found`)
		if c := condition(b.get("web"), corev1.PodReadyToStartContainers); c.Status != corev1.ConditionFalse || c.Message != "no pod sandbox exists" {
			t.Errorf("condition %+v", c)
		}
		b.Create(cm)
		b.until("web", "ready", ready)
		sandboxes, _ := b.runtime.Sandboxes(b.Context())
		var dir string
		for _, m := range sandboxes[0].Containers[0].Config.Mounts {
			if m.Target == "/etc/app" && m.ReadOnly {
				dir = m.Source
			}
		}
		read := func() string {
			data, err := os.ReadFile(filepath.Join(dir, "level"))
			if err != nil {
				t.Error(err)
			}
			return string(data)
		}
		if got := read(); got != "info" {
			t.Errorf("level %q", got)
		}
		cm.Data["level"] = "debug"
		if _, err := b.Client().CoreV1().ConfigMaps("default").Update(b.Context(), cm, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		b.Wait("the file changes", func() bool { return read() == "debug" })
		if took := time.Since(began); took > time.Second {
			t.Errorf("the change took %s", took)
		}
		if got := b.get("web").Status.ContainerStatuses[0].RestartCount; got != 0 || p.UID == "" {
			t.Errorf("restarted %d times", got)
		}
	})
}

func TestReadinessGate(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		pod := simplePod("web", "app")
		pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/lb"}}
		b.create(pod)
		p := b.until("web", "running", running)
		if c := condition(p, corev1.PodReady); c.Status != corev1.ConditionFalse || c.Reason != "ReadinessGatesNotReady" ||
			c.Message != `corresponding condition of pod readiness gate "example.com/lb" does not exist.` {
			t.Errorf("ready: %+v", c)
		}
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: "example.com/lb", Status: corev1.ConditionTrue})
		if _, err := b.Client().CoreV1().Pods("default").UpdateStatus(b.Context(), p, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		p = b.until("web", "ready", ready)
		if condition(p, "example.com/lb").Status != corev1.ConditionTrue {
			t.Error("the gate's own condition is lost")
		}
	})
}
