package kubelet

import (
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// worker looks after one pod. Its goroutine owns view; others speak to it by post, update and runtimeChanged. What takes
// time (pulls, starts, stops) runs beside it and posts its outcome.
type worker struct {
	k    *Kubelet
	wake chan struct{}

	mu    sync.Mutex
	pod   *corev1.Pod // the newest from the API
	inbox []func(*view)
	dirty []string // containers that changed in the runtime

	view    view
	probing map[string]*probing // by container
	status  statusWriter
	// cancel stops the starts under way: the pod is to end.
	cancel   context.CancelFunc
	refs     []objectKey
	refresh  time.Time // when volumes must be made anew
	updating bool      // volumes are being made anew
	meta     string    // labels and annotations, as the volumes show them
	ops      sync.WaitGroup
	done     bool
	// ended and left say that run has returned and that the pod is no longer in the API; k.mu guards them.
	ended, left bool
	admitted    bool               // also guarded by k.mu
	retries     int                // of prepare, since the last success
	pulls       map[string]backoff // by image
}

func newWorker(k *Kubelet, pod *corev1.Pod, sandboxes []container.Sandbox) *worker {
	w := &worker{k: k, wake: make(chan struct{}, 1), pod: pod}
	w.view.containers = map[string]*history{}
	w.status.init(w, pod)
	w.recall(pod)
	w.adopt(sandboxes)
	w.wake <- struct{}{}
	return w
}

// recall takes over from the API what an earlier agent said.
func (w *worker) recall(pod *corev1.Pod) {
	if t := pod.Status.StartTime; t != nil {
		w.view.startTime = t.Time
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses} {
		for i := range list {
			w.view.of(list[i].Name).prior = list[i].DeepCopy()
		}
	}
}

// adopt takes up what the runtime has of the pod: the newest sandbox is the current one, and what ran goes on.
func (w *worker) adopt(sandboxes []container.Sandbox) {
	slices.SortFunc(sandboxes, func(a, b container.Sandbox) int {
		_, m := splitSandboxID(a.ID)
		_, n := splitSandboxID(b.ID)
		return m - n
	})
	for i := range sandboxes {
		s := &sandboxes[i]
		_, n := splitSandboxID(s.ID)
		w.view.sandbox, w.view.attempts = s, n+1
		containers := s.Containers
		s.Containers = nil
		slices.SortFunc(containers, func(a, b container.Container) int { return a.Config.Attempt - b.Config.Attempt })
		for _, c := range containers {
			if c.State == container.Created {
				// The earlier agent was interrupted before the start: it never ran, and is made anew.
				w.ops.Go(func() { w.k.removeAttempt(w.k.ctx, &attempt{Container: c}) })
				continue
			}
			h := w.view.of(c.Config.Name)
			w.note(h, c)
			if c.State == container.Running {
				// It may have ended since the agent took stock, when no worker was there to be told.
				w.dirty = append(w.dirty, c.ID)
			}
			if p := h.prior; c.State == container.Running && p != nil && p.ContainerID == w.k.scheme+c.ID {
				h.started = p.Started != nil && *p.Started
				h.ready = p.Ready
			}
		}
	}
	if w.view.sandbox != nil {
		w.refresh = time.Now() // tokens are asked for anew, and objects may have changed
	}
	for _, h := range w.view.containers {
		if p := h.prior; p != nil && p.State.Running != nil && (h.last == nil || p.ContainerID != w.k.scheme+h.last.ID) {
			h.prior.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 137, Reason: "ContainerStatusUnknown", ContainerID: h.prior.ContainerID,
				Message: "The container could not be located when the pod was terminated",
			}}
		}
	}
}

// latest is the pod as the API had it last.
func (w *worker) latest() *corev1.Pod {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pod
}

// update gives the worker a newer pod.
func (w *worker) update(pod *corev1.Pod) {
	w.mu.Lock()
	w.pod = pod
	w.mu.Unlock()
	w.status.seen(pod)
	w.knock()
}

// post changes the view in the worker's own goroutine.
func (w *worker) post(f func(*view)) {
	w.mu.Lock()
	w.inbox = append(w.inbox, f)
	w.mu.Unlock()
	w.knock()
}

// runtimeChanged says that a container started or ended.
func (w *worker) runtimeChanged(id string) {
	w.mu.Lock()
	w.dirty = append(w.dirty, id)
	w.mu.Unlock()
	w.knock()
}

func (w *worker) knock() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run is the worker's life: it ends with ctx, or when the pod has left the API and the node.
func (w *worker) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer w.ops.Wait()
	defer cancel()
	defer w.stopProbes()
	defer w.k.objects.release(w)
	starts, cancelStarts := context.WithCancel(ctx)
	w.cancel = cancelStarts
	defer cancelStarts()

	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for !w.done {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
		next := w.sync(ctx, starts)
		if next.IsZero() {
			timer.Stop()
			continue
		}
		timer.Reset(max(time.Until(next), 0))
	}
}

// sync is one turn: take in what happened, decide, act, report.
func (w *worker) sync(ctx, starts context.Context) time.Time {
	w.mu.Lock()
	pod, inbox, dirty := w.pod, w.inbox, w.dirty
	w.inbox, w.dirty = nil, nil
	w.mu.Unlock()
	v := &w.view
	for _, f := range inbox {
		f(v)
	}
	slices.Sort(dirty)
	for _, id := range slices.Compact(dirty) {
		w.look(ctx, id)
	}
	now := time.Now()
	if v.startTime.IsZero() {
		v.startTime = now
		if !terminal(pod.Status.Phase) {
			w.admit(pod)
		}
	}
	if v.gone || pod.DeletionTimestamp != nil || v.failed != nil || terminal(pod.Status.Phase) {
		w.cancel()
		if v.stopBegan.IsZero() {
			v.stopBegan = now
		}
	}
	p := decide(pod, v, now)
	for _, s := range p.steps {
		w.act(ctx, starts, pod, s)
	}
	w.keepProbes(pod)
	w.keepResources(ctx, pod)
	w.keepVolumes(ctx, pod, now)
	if !w.done && !v.gone && !v.finishing {
		w.status.want(podStatus(pod, v, facts{hostIPs: w.k.config.NodeIPs, scheme: w.k.scheme}, now))
	}
	next := p.wake
	if !w.refresh.IsZero() && (next.IsZero() || w.refresh.Before(next)) {
		next = w.refresh
	}
	return next
}

// look asks the runtime how a container is.
func (w *worker) look(ctx context.Context, id string) {
	for _, h := range w.view.containers {
		if h.last == nil || h.last.ID != id || h.last.End != nil {
			continue
		}
		c, err := w.k.config.Runtime.ContainerStatus(ctx, id)
		if err != nil {
			continue
		}
		w.note(h, c)
	}
}

// loseSandbox has the sandbox replaced: without its shim nothing can be started in it, whatever else is left of it.
func (w *worker) loseSandbox(id string) {
	if w.view.sandbox == nil || w.view.sandbox.ID != id {
		return
	}
	lost := *w.view.sandbox
	lost.Ready = false
	w.view.sandbox = &lost
}

// note takes a container's state into its history. A shim's death counts whoever tells of it first, an event or a start that failed:
// what is started in the sandbox afterwards would be taken for lost by the next agent, and killed.
func (w *worker) note(h *history, c container.Container) {
	if c.Reason == shimDied {
		w.loseSandbox(c.SandboxID)
	}
	if h.last == nil || h.last.ID != c.ID {
		if h.last != nil && h.last.Config.Attempt > c.Config.Attempt {
			return
		}
		if h.last != nil {
			h.prev = h.last
		}
		h.last = &attempt{}
		h.started, h.ready, h.condemned, h.stopBy = false, false, nil, time.Time{}
	}
	if h.last.End != nil {
		return
	}
	h.last.Container = c
	if c.State == container.Exited {
		h.last.End = w.termination(&c)
		h.started, h.ready, h.condemned, h.stopBy = false, false, nil, time.Time{}
		w.k.logs.tell(c.Config.LogPath)
		if c.Reason == shimDied {
			w.k.events.container(w.latest(), c.Config.Name, corev1.EventTypeWarning, "Failed",
				"Container "+c.Config.Name+" was lost: "+h.last.End.Message)
		}
	}
}

// act carries out one step, or begins to.
func (w *worker) act(ctx, starts context.Context, pod *corev1.Pod, s step) {
	v := &w.view
	switch s.do {
	case prepare:
		v.preparing = true
		w.reference(pod)
		w.ops.Go(func() { w.prepare(starts, pod) })
	case start:
		w.begin(starts, pod, s.container)
	case stop:
		h := v.of(s.container)
		h.stopBy = time.Now().Add(s.grace)
		w.stopProbe(s.container)
		sandbox, id := h.last.SandboxID, h.last.ID
		w.ops.Go(func() { w.stop(ctx, pod, s, sandbox, id) })
	case hold:
		h := v.of(s.container)
		h.held = &held{reason: crashLoop, message: s.message, retry: s.until}
		w.k.events.container(pod, s.container, corev1.EventTypeWarning, "BackOff",
			"Back-off restarting failed container "+s.container+" in pod "+podRef(pod))
	case shift:
		h := v.of(s.container)
		h.held = h.held.next
		if h.held.reason == imagePullBackOff {
			if c := findContainer(pod, s.container); c != nil {
				w.k.events.container(pod, s.container, corev1.EventTypeNormal, "BackOff", backOffPulling(c.Image))
				w.k.events.container(pod, s.container, corev1.EventTypeWarning, "Failed", "Error: "+imagePullBackOff)
			}
		}
	case fail:
		v.failed = &failure{reason: s.reason, message: s.message}
		w.k.events.pod(pod, corev1.EventTypeNormal, s.reason, s.message)
		w.knock()
	case stopSandbox:
		v.stopping = true
		id := v.sandbox.ID
		w.ops.Go(func() { w.stopSandbox(ctx, pod, id) })
	case finish:
		v.finishing = true
		final := podStatus(pod, v, facts{hostIPs: w.k.config.NodeIPs, scheme: w.k.scheme}, time.Now())
		w.ops.Go(func() { w.finish(ctx, pod, final) })
	}
}
