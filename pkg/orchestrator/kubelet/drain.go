package kubelet

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// drainLimit bounds the wait: the last endpoint of a Service gets its connections to the end.
	drainLimit = 300 * time.Millisecond
	// drainRest lets what was sent before be answered.
	drainRest = 20 * time.Millisecond
)

// drain holds back the first signal to a pod that is being deleted until Services have turned away from it, so that a program
// which ends at once on SIGTERM fails no request. The wait counts against the grace period and never exceeds it.
func (w *worker) drain(ctx context.Context, pod *corev1.Pod, grace time.Duration) {
	drained := w.k.config.Drained
	if drained == nil || pod.DeletionTimestamp == nil || pod.Status.PodIP == "" || pod.Spec.HostNetwork || grace <= time.Second {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	if err := drained(ctx, pod.Status.PodIP); err != nil && ctx.Err() == nil {
		w.k.log.Error("wait for services to turn away", "pod", podRef(pod), "error", err)
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(drainRest):
	}
}
