package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// retryStop is the pause after a stop that failed.
const retryStop = time.Second

// stop ends a container: its preStop hook, its signal, and a kill when the grace is over.
func (w *worker) stop(ctx context.Context, pod *corev1.Pod, s step, sandbox, id string) {
	k := w.k
	k.events.container(pod, s.container, corev1.EventTypeNormal, "Killing", s.message)
	c := findContainer(pod, s.container)
	grace, began := s.grace, time.Now()
	signal := ""
	if c != nil {
		if c.Lifecycle != nil && c.Lifecycle.PreStop != nil {
			w.preStop(ctx, pod, c, id, grace)
			grace = max(grace-time.Since(began), minimalGrace)
		}
		if c.Lifecycle != nil && c.Lifecycle.StopSignal != nil {
			signal = string(*c.Lifecycle.StopSignal)
		}
	}
	w.drain(ctx, pod, sandbox, grace)
	err := k.config.Runtime.StopContainer(ctx, id, signal, grace)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		k.log.Error("stop container", "pod", podRef(pod), "container", s.container, "error", err)
		k.events.pod(pod, corev1.EventTypeWarning, "FailedKillPod", fmt.Sprintf("error killing pod: %v", err))
		if !sleep(ctx, retryStop) {
			return
		}
	}
	status, statusErr := k.config.Runtime.ContainerStatus(ctx, id)
	w.post(func(v *view) {
		h := v.of(s.container)
		if h.last == nil || h.last.ID != id {
			return
		}
		switch {
		case statusErr == nil:
			w.note(h, status)
			if err == nil && status.State != container.Exited {
				w.lost(h)
			}
		case err == nil:
			w.lost(h)
		}
		h.stopBy = time.Time{}
	})
}

func (w *worker) preStop(ctx context.Context, pod *corev1.Pod, c *corev1.Container, id string, grace time.Duration) {
	hookCtx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	var ips []string
	for _, ip := range w.latest().Status.PodIPs {
		ips = append(ips, ip.IP)
	}
	if _, err := w.k.runHook(hookCtx, pod, c, id, ips, c.Lifecycle.PreStop); err != nil && hookCtx.Err() == nil {
		w.k.events.container(pod, c.Name, corev1.EventTypeWarning, "FailedPreStopHook", "PreStopHook failed")
	}
}

// stopSandbox releases the network of a pod whose containers have all ended; they and their logs stay.
func (w *worker) stopSandbox(ctx context.Context, pod *corev1.Pod, id string) {
	err := w.k.config.Runtime.StopSandbox(ctx, id)
	if err != nil && ctx.Err() == nil {
		w.k.events.pod(pod, corev1.EventTypeWarning, "FailedKillPod", fmt.Sprintf("error killing pod: %v", err))
		sleep(ctx, retryStop)
	}
	w.post(func(v *view) {
		v.stopping = false
		if err == nil && v.sandbox != nil && v.sandbox.ID == id {
			stopped := *v.sandbox
			stopped.Ready = false
			v.sandbox = &stopped
		}
	})
}

// finish removes all of a pod from the node, says so, and removes it from the API.
func (w *worker) finish(ctx context.Context, pod *corev1.Pod, final corev1.PodStatus) {
	k := w.k
	w.status.close(final, pod.DeletionTimestamp != nil)
	for delay := 100 * time.Millisecond; ; delay = min(2*delay, 10*time.Second) {
		err := w.clean(ctx, pod)
		if err == nil {
			err = w.deleteFromAPI(ctx, pod)
		}
		if err == nil {
			break
		}
		k.log.Error("finish pod", "pod", podRef(pod), "error", err)
		if !sleep(ctx, delay) {
			return
		}
	}
	w.post(func(*view) { w.done = true })
}

func (w *worker) clean(ctx context.Context, pod *corev1.Pod) error {
	old, n := w.oldSandbox()
	for i := range n {
		id := sandboxID(pod.UID, i)
		if old != nil && old.ID == id {
			if err := w.k.config.Runtime.StopSandbox(ctx, id); err != nil {
				return err
			}
		}
		if err := w.k.config.Runtime.RemoveSandbox(ctx, id); err != nil {
			return err
		}
	}
	if w.k.config.Weightless {
		return nil
	}
	if err := w.k.volumes.TearDown(pod.UID); err != nil {
		return err
	}
	if err := os.RemoveAll(w.k.podDir(pod.UID)); err != nil {
		return err
	}
	return os.RemoveAll(w.k.logDir(pod))
}

// deleteFromAPI completes a graceful deletion. A pod that is being kept by a finalizer stays.
func (w *worker) deleteFromAPI(ctx context.Context, pod *corev1.Pod) error {
	var zero int64
	err := w.k.config.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &zero,
		Preconditions:      metav1.NewUIDPreconditions(string(pod.UID)),
	})
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// removeAttempt removes a container that nobody asks for any more, and its log.
func (k *Kubelet) removeAttempt(ctx context.Context, a *attempt) {
	if err := k.config.Runtime.RemoveContainer(ctx, a.ID); err != nil {
		k.log.Error("remove container", "container", a.Config.Name, "error", err)
		return
	}
	if a.Config.LogPath == "" || k.config.Weightless {
		return
	}
	for _, path := range logFiles(a.Config.LogPath) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			k.log.Error("remove log", "path", path, "error", err)
		}
	}
}
