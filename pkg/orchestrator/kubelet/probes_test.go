package kubelet

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
)

func httpProbe(path string, period int32) *corev1.Probe {
	return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(80)}}, PeriodSeconds: period}
}

// answering answers 200 while up is true.
func answering(up *atomic.Bool, agents *atomic.Value) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if agents != nil {
			agents.Store(r.UserAgent() + " " + r.Host)
		}
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
}

func TestReadiness(t *testing.T) {
	var up atomic.Bool
	var agent atomic.Value
	onBed(t, map[string]hollow.Behaviour{"app": {Handler: answering(&up, &agent)}}, func(b *bed) {
		pod := simplePod("web", "app")
		pod.Spec.Containers[0].ReadinessProbe = httpProbe("/healthz", 10)
		b.create(pod)
		p := b.until("web", "running", running)
		b.Pass(35 * time.Second)
		p = b.get("web")
		if ready(p) {
			t.Error("the pod is ready though its probe fails")
		}
		if c := condition(p, corev1.ContainersReady); c.Reason != "ContainersNotReady" || c.Message != "containers with unready status: [app]" {
			t.Errorf("containers ready: %+v", c)
		}
		b.wantEvent("web", "Warning Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 503")
		up.Store(true)
		b.until("web", "ready", ready)
		if got, want := agent.Load().(string), "kube-probe/1.37 10.244.0.2:80"; got != want {
			t.Errorf("the probe came from %q, want %q", got, want)
		}
		up.Store(false)
		b.until("web", "unready again", func(p *corev1.Pod) bool { return !ready(p) })
		if got := b.get("web").Status.ContainerStatuses[0].RestartCount; got != 0 {
			t.Errorf("restarted %d times", got)
		}
	})
}

func TestReadyAsSoonAsServing(t *testing.T) {
	var up atomic.Bool
	onBed(t, map[string]hollow.Behaviour{"app": {Handler: answering(&up, nil)}}, func(b *bed) {
		pod := simplePod("web", "app")
		pod.Spec.Containers[0].ReadinessProbe = httpProbe("/", 10)
		b.create(pod)
		b.until("web", "running", running)
		b.Pass(150 * time.Millisecond)
		up.Store(true)
		began := time.Now()
		b.until("web", "ready", ready)
		if took := time.Since(began); took > 600*time.Millisecond {
			t.Errorf("ready %s after it served", took)
		}
	})
}

func TestLiveness(t *testing.T) {
	var up atomic.Bool
	up.Store(true)
	onBed(t, map[string]hollow.Behaviour{"app": {Handler: answering(&up, nil)}}, func(b *bed) {
		pod := simplePod("web", "app")
		pod.Spec.Containers[0].LivenessProbe = httpProbe("/", 5)
		b.create(pod)
		b.until("web", "ready", ready)
		b.Pass(time.Minute)
		if got := b.get("web").Status.ContainerStatuses[0].RestartCount; got != 0 {
			t.Errorf("restarted %d times while healthy", got)
		}
		up.Store(false)
		began := time.Now()
		b.until("web", "restarted", func(p *corev1.Pod) bool { return p.Status.ContainerStatuses[0].RestartCount == 1 })
		if took := time.Since(began); took < 10*time.Second || took > 16*time.Second {
			t.Errorf("three failures of a probe each 5 s took %s", took)
		}
		b.wantEvent("web", "Normal Killing Container app failed liveness probe, will be restarted")
	})
}

func TestStartupHoldsTheOthers(t *testing.T) {
	var up atomic.Bool
	onBed(t, map[string]hollow.Behaviour{"app": {Handler: answering(&up, nil)}}, func(b *bed) {
		pod := simplePod("web", "app")
		pod.Spec.Containers[0].LivenessProbe = httpProbe("/", 1)
		pod.Spec.Containers[0].StartupProbe = httpProbe("/", 10)
		pod.Spec.Containers[0].StartupProbe.FailureThreshold = 30
		b.create(pod)
		b.until("web", "running", running)
		b.Pass(65 * time.Second)
		p := b.get("web")
		if s := p.Status.ContainerStatuses[0]; s.RestartCount != 0 || s.Started == nil || *s.Started || s.Ready {
			t.Errorf("status while starting: %+v", s)
		}
		up.Store(true)
		p = b.until("web", "ready", ready)
		if s := p.Status.ContainerStatuses[0]; s.Started == nil || !*s.Started {
			t.Errorf("status: %+v", s)
		}
	})
}

func TestStartupFails(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		pod := simplePod("web", "app")
		pod.Spec.Containers[0].StartupProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(80)}}, PeriodSeconds: 1, FailureThreshold: 3}
		b.create(pod)
		b.until("web", "restarted", func(p *corev1.Pod) bool {
			return len(p.Status.ContainerStatuses) > 0 && p.Status.ContainerStatuses[0].RestartCount == 1
		})
		b.wantEvent("web", "Warning Unhealthy Startup probe failed: dial tcp 10.244.0.2:80: connect: connection refused")
		b.wantEvent("web", "Normal Killing Container app failed startup probe, will be restarted")
	})
}

func TestExecProbe(t *testing.T) {
	exec := func(ctx context.Context, e container.ExecConfig) (int, error) {
		if e.Args[0] == "hang" {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		e.Stdout.Write([]byte("not yet"))
		return 1, nil
	}
	onBed(t, map[string]hollow.Behaviour{"app": {Exec: exec}}, func(b *bed) {
		for name, command := range map[string][]string{"fails": {"test"}, "hangs": {"hang", "on"}} {
			pod := simplePod(name, "app")
			pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: command}}, TimeoutSeconds: 1}
			b.create(pod)
			b.until(name, "running", running)
		}
		b.Pass(5 * time.Second)
		b.wantEvent("fails", "Warning Unhealthy Readiness probe failed: not yet")
		b.wantEvent("hangs", `Warning Unhealthy Readiness probe failed: command timed out: "hang on" timed out after 1s`)
	})
}

func TestGRPCProbe(t *testing.T) {
	onServer := health.NewServer()
	server := grpc.NewServer()
	healthv1.RegisterHealthServer(server, onServer)
	onServer.SetServingStatus("db", healthv1.HealthCheckResponse_NOT_SERVING)
	onBed(t, map[string]hollow.Behaviour{"app": {Handler: server}, "mute": {}}, func(b *bed) {
		service := "db"
		for _, name := range []string{"app", "mute"} {
			pod := simplePod(name, name)
			pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 80, Service: &service}}, PeriodSeconds: 2}
			b.create(pod)
			b.until(name, "running", running)
		}
		b.Pass(5 * time.Second)
		b.wantEvent("app", `Warning Unhealthy Readiness probe failed: service unhealthy (responded with "NOT_SERVING")`)
		b.wantEvent("mute", `Warning Unhealthy Readiness probe failed: error: failed to connect service at "10.244.0.3:80": dial tcp 10.244.0.3:80: connect: connection refused`)
		onServer.SetServingStatus("db", healthv1.HealthCheckResponse_SERVING)
		b.until("app", "ready", ready)
	})
}
