package kubelet

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

const (
	// drainLimit bounds the wait, as does half of the grace period.
	drainLimit = 5 * time.Second
	// drainRest is the time that a connection on its way has to arrive.
	drainRest = 20 * time.Millisecond
)

// drain holds back the first signal to a pod that is being deleted until Services have turned away from it and what came before is
// answered, so that a program which ends at once on SIGTERM fails no request. The wait counts against the grace period.
func (w *worker) drain(ctx context.Context, pod *corev1.Pod, sandbox string, grace time.Duration) {
	drained := w.k.config.Drained
	if drained == nil || pod.DeletionTimestamp == nil || pod.Status.PodIP == "" || pod.Spec.HostNetwork {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(drainLimit, grace/2))
	defer cancel()
	told := func() bool { return len(w.k.fronting(pod)) > 0 } // a service may go with its pods
	if err := drained(ctx, pod.Status.PodIP, told); err != nil {
		if ctx.Err() == nil {
			w.k.log.Error("wait for services to turn away", "pod", podRef(pod), "error", err)
		}
		return
	}
	for sleep(ctx, drainRest) {
		sockets, known := w.sockets(ctx, pod, sandbox, "wait for answers under way")
		if !known || !slices.ContainsFunc(sockets, func(s container.Socket) bool { return s.Owes }) {
			return
		}
	}
}
