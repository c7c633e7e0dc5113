package kubelet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/volume"
)

// retryMost is the longest pause between attempts to make volumes and sandbox.
const retryMost = 30 * time.Second

// prepare makes the pod's volumes and its sandbox.
func (w *worker) prepare(ctx context.Context, pod *corev1.Pod) {
	k := w.k
	refresh, err := w.setUpVolumes(ctx, pod)
	if err != nil {
		w.prepareFailed(ctx, err)
		return
	}
	old, n := w.oldSandbox()
	if old != nil {
		k.events.pod(pod, corev1.EventTypeNormal, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
		if err := w.retire(ctx, old, pod.UID, n); err != nil {
			w.prepareFailed(ctx, err)
			return
		}
	}
	config, err := k.sandboxConfig(pod, n)
	if err == nil {
		err = w.writeResolvConf(pod)
	}
	var s container.Sandbox
	if err == nil {
		s, err = k.startSandbox(ctx, config)
	}
	if err != nil {
		if ctx.Err() == nil {
			k.events.pod(pod, corev1.EventTypeWarning, "FailedCreatePodSandBox", fmt.Sprintf("Failed to create pod sandbox: %v", err))
		}
		w.prepareFailed(ctx, err)
		return
	}
	w.post(func(v *view) {
		v.sandbox, v.attempts, v.preparing, v.prepareAt = &s, n+1, false, time.Time{}
		w.retries = 0
		w.refresh = refresh
	})
}

// retire stops the sandbox that is replaced and removes the one before. What it knows of its containers' ends stays until the next
// replacement: the API may be away now, and this agent gone before it is back.
func (w *worker) retire(ctx context.Context, old *container.Sandbox, uid types.UID, n int) error {
	err := w.k.config.Runtime.StopSandbox(ctx, old.ID)
	if n >= 2 {
		err = errors.Join(err, w.k.config.Runtime.RemoveSandbox(ctx, sandboxID(uid, n-2)))
	}
	return err
}

// startSandbox waits for its turn. A sandbox that was made is given even if ctx has ended meanwhile: somebody has to remove it.
func (k *Kubelet) startSandbox(ctx context.Context, config container.SandboxConfig) (container.Sandbox, error) {
	if !k.takeStart(ctx) {
		return container.Sandbox{}, ctx.Err()
	}
	defer k.releaseStart()
	return k.config.Runtime.StartSandbox(ctx, config)
}

// oldSandbox gives the sandbox to replace, and the number of the next.
func (w *worker) oldSandbox() (*container.Sandbox, int) {
	type answer struct {
		s *container.Sandbox
		n int
	}
	out := make(chan answer, 1)
	w.post(func(v *view) { out <- answer{v.sandbox, v.attempts} })
	select {
	case a := <-out:
		return a.s, a.n
	case <-w.k.ctx.Done():
		return nil, 0
	}
}

func (w *worker) prepareFailed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		w.k.log.Warn("prepare pod", "pod", podRef(w.latest()), "error", err)
	}
	w.post(func(v *view) {
		v.preparing = false
		v.prepareAt = time.Now().Add(min(500*time.Millisecond<<min(w.retries, 10), retryMost))
		w.retries++
	})
}

// setUpVolumes makes the volumes and reports each that fails.
func (w *worker) setUpVolumes(ctx context.Context, pod *corev1.Pod) (time.Time, error) {
	if w.k.config.Weightless {
		return time.Time{}, nil
	}
	if err := os.MkdirAll(w.k.podDir(pod.UID), 0o750); err != nil {
		return time.Time{}, fmt.Errorf("make the pod's directory: %w", err)
	}
	refresh, err := w.k.volumes.SetUp(ctx, pod)
	if err == nil || ctx.Err() != nil {
		return refresh, err
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			var failed *volume.SetUpError
			if errors.As(e, &failed) {
				w.k.events.pod(pod, corev1.EventTypeWarning, "FailedMount", failed.Error())
			}
		}
	}
	return refresh, err
}

func (k *Kubelet) takeStart(ctx context.Context) bool {
	select {
	case k.starts <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (k *Kubelet) releaseStart() { <-k.starts }

// begin starts a container's next attempt beside the worker.
func (w *worker) begin(ctx context.Context, pod *corev1.Pod, name string) {
	v := &w.view
	h := v.of(name)
	c := findContainer(pod, name)
	if c == nil {
		return
	}
	next := 0
	var stale *attempt
	now := time.Now()
	switch {
	case h.last != nil:
		next = h.last.Config.Attempt + 1
		stale = h.prev
		if h.last.End != nil && !h.last.counted {
			h.backoff, h.last.counted = h.backoff.next(h.last.Finished, now), true
		}
	case h.prior != nil && (h.prior.ContainerID != "" || h.prior.State.Terminated != nil):
		next = int(h.prior.RestartCount) + 1
	}
	var shown *held
	if h.held != nil && h.held.reason != crashLoop {
		shown = h.held
	}
	h.held = shown
	h.starting = true
	sandbox := *v.sandbox
	w.ops.Go(func() {
		held := w.startContainer(ctx, pod, c, sandbox, next)
		if stale != nil && held == nil {
			w.k.removeAttempt(ctx, stale)
		}
		w.post(func(v *view) {
			h.starting, h.hooking = false, false
			h.held = held
		})
	})
}

// startContainer pulls, creates and starts; what it returns is why the container must wait, nil if it runs.
func (w *worker) startContainer(ctx context.Context, pod *corev1.Pod, c *corev1.Container, s container.Sandbox, n int) *held {
	k := w.k
	image, why := k.pulls.ensure(ctx, w, pod, c)
	if ctx.Err() != nil {
		return nil
	}
	if why != nil {
		k.events.container(pod, c.Name, corev1.EventTypeWarning, "Failed", "Error: "+why.reason)
		return why
	}
	config, err := k.containerConfig(ctx, pod, c, image, &s, n)
	if err != nil {
		k.events.container(pod, c.Name, corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
		return &held{reason: "CreateContainerConfigError", message: err.Error(), retry: time.Now().Add(10 * time.Second), config: true}
	}
	if !k.takeStart(ctx) {
		return nil
	}
	reason, err := w.launch(ctx, pod, c, s.ID, config)
	k.releaseStart()
	if err != nil {
		if ctx.Err() == nil {
			k.events.container(pod, c.Name, corev1.EventTypeWarning, "Failed", "Error: "+err.Error())
		}
		retry := time.Now()
		if reason == createError {
			retry = retry.Add(10 * time.Second) // one that ran for a moment is held by its own back-off
		}
		return &held{reason: reason, message: err.Error(), retry: retry}
	}
	hook := c.Lifecycle != nil && c.Lifecycle.PostStart != nil
	if !w.report(ctx, c.Name, config.ID, hook) && ctx.Err() == nil {
		return &held{reason: "RunContainerError", message: "the container's state cannot be read", retry: time.Now().Add(10 * time.Second)}
	}
	if !hook {
		return nil
	}
	message, err := k.runHook(ctx, pod, c, config.ID, s.IPs, c.Lifecycle.PostStart)
	if err == nil || ctx.Err() != nil {
		return nil
	}
	k.events.container(pod, c.Name, corev1.EventTypeWarning, "FailedPostStartHook", "PostStartHook failed")
	k.events.container(pod, c.Name, corev1.EventTypeNormal, "Killing", "FailedPostStartHook")
	grace := minimalGrace
	if g := pod.Spec.TerminationGracePeriodSeconds; g != nil {
		grace = max(time.Duration(*g)*time.Second, grace)
	}
	if err := k.config.Runtime.StopContainer(ctx, config.ID, config.StopSignal, grace); err != nil {
		k.log.Error("stop container after its hook failed", "error", err)
	}
	w.runtimeChanged(config.ID)
	return &held{reason: "PostStartHookError", message: message, retry: time.Now()}
}

// createError is the waiting state of a container that could not be made.
const createError = "CreateContainerError"

// launch creates and starts; the reason is the waiting state of a failure.
func (w *worker) launch(ctx context.Context, pod *corev1.Pod, c *corev1.Container, sandboxID string, config container.ContainerConfig) (reason string, err error) {
	k := w.k
	if err := k.config.Runtime.CreateContainer(ctx, sandboxID, config); err != nil {
		return createError, err
	}
	k.events.container(pod, c.Name, corev1.EventTypeNormal, "Created", "Container created")
	if err := k.config.Runtime.StartContainer(ctx, config.ID); err != nil {
		if !w.report(ctx, c.Name, config.ID, false) {
			return createError, err
		}
		return "RunContainerError", err
	}
	k.events.container(pod, c.Name, corev1.EventTypeNormal, "Started", "Container started")
	return "", nil
}

// report takes a container's state into the view; hooking says that its postStart hook runs.
func (w *worker) report(ctx context.Context, name, id string, hooking bool) bool {
	c, err := w.k.config.Runtime.ContainerStatus(ctx, id)
	if err != nil {
		w.k.log.Error("read container status", "container", name, "error", err)
		return false
	}
	w.post(func(v *view) {
		h := v.of(name)
		w.note(h, c)
		if c.State == container.Created {
			w.lost(h)
		}
		h.hooking = hooking
	})
	return true
}

// lost ends an attempt that never came to run.
func (w *worker) lost(h *history) {
	if h.last.End != nil {
		return
	}
	h.last.State, h.last.Finished, h.last.ExitCode, h.last.Reason = container.Exited, time.Now(), 128, startError
	h.last.End = w.termination(&h.last.Container)
}

// newContainerID makes an id as container runtimes do: 64 hexadecimal digits.
func newContainerID() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// sleep waits, or says that ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
