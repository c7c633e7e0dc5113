package kubelet

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// listenLimit bounds how long after its start a container without a readiness probe may be held back from being ready.
const listenLimit = 3 * time.Second

// awaits gives the ports on which a container has to listen before it is ready: with no readiness probe, and no startup probe that has
// told, it would count as ready from its start, and whoever waited for that, a Service or a script, would meet a process that does not
// listen yet.
func (w *worker) awaits(pod *corev1.Pod, c *corev1.Container, h *history) []uint16 {
	if h.ready || c.ReadinessProbe != nil || c.StartupProbe != nil || isInit(pod, c) || time.Since(h.last.Started) > listenLimit {
		return nil
	}
	if w.k.config.Weightless || pod.Spec.HostNetwork {
		return nil
	}
	ports := append(declaredPorts(c), servedPorts(w.k.fronting(pod), pod, c)...)
	slices.Sort(ports)
	return slices.Compact(ports)
}

// listening tells that the container is ready once something listens on all of the ports, or when the time for that is over.
func (t target) listening(ctx context.Context, sandbox string, ports []uint16) {
	limited, cancel := context.WithDeadline(ctx, t.started.Add(listenLimit))
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		sockets, known := t.w.sockets(limited, t.pod, sandbox, "look for listening ports")
		if !known || listensOn(sockets, ports) || !sleep(limited, pause) {
			break
		}
	}
	if ctx.Err() == nil {
		t.tell(func(h *history) { h.ready = true })
	}
}

// sockets asks the runtime for a sandbox's sockets, if anybody can tell.
func (w *worker) sockets(ctx context.Context, pod *corev1.Pod, sandbox, doing string) ([]container.Socket, bool) {
	sockets, err := w.k.config.Runtime.Sockets(ctx, sandbox)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) && ctx.Err() == nil {
		w.k.log.Error(doing, "pod", podRef(pod), "error", err)
	}
	return sockets, err == nil
}

func listensOn(sockets []container.Socket, ports []uint16) bool {
	return !slices.ContainsFunc(ports, func(port uint16) bool {
		return !slices.ContainsFunc(sockets, func(s container.Socket) bool {
			return s.Listens && s.Local.Port() == port && !s.Local.Addr().IsLoopback()
		})
	})
}
