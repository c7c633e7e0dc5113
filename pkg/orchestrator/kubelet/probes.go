package kubelet

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// probing is the probes of one attempt of a container.
type probing struct {
	id     string
	cancel context.CancelFunc
}

// keepProbes has probes run for the containers that run, and for no others.
func (w *worker) keepProbes(pod *corev1.Pod) {
	for name, h := range w.view.containers {
		c := findContainer(pod, name)
		if c == nil || h.last == nil || h.last.State != container.Running || h.hooking || !h.stopBy.IsZero() || w.view.finishing {
			w.stopProbe(name)
			continue
		}
		if c.StartupProbe == nil {
			h.started = true
		}
		if p := w.probing[name]; p != nil && p.id == h.last.ID {
			continue
		}
		awaited := w.awaits(pod, c, h)
		if c.ReadinessProbe == nil && len(awaited) == 0 {
			h.ready = true
		}
		if c.StartupProbe == nil && c.ReadinessProbe == nil && c.LivenessProbe == nil && len(awaited) == 0 {
			continue
		}
		w.stopProbe(name)
		ctx, cancel := context.WithCancel(w.k.ctx)
		if w.probing == nil {
			w.probing = map[string]*probing{}
		}
		w.probing[name] = &probing{id: h.last.ID, cancel: cancel}
		t := target{w: w, pod: pod, c: c, id: h.last.ID, started: h.last.Started, ip: w.podIP()}
		known, sandbox := h.started, h.last.SandboxID
		if len(awaited) > 0 {
			w.ops.Go(func() { t.listening(ctx, sandbox, awaited) })
		}
		w.ops.Go(func() { t.run(ctx, known) })
	}
}

func (w *worker) podIP() string {
	if w.latest().Spec.HostNetwork && len(w.k.config.NodeIPs) > 0 {
		return w.k.config.NodeIPs[0]
	}
	if s := w.view.sandbox; s != nil && len(s.IPs) > 0 {
		return s.IPs[0]
	}
	return ""
}

func (w *worker) stopProbe(name string) {
	if p := w.probing[name]; p != nil {
		p.cancel()
		delete(w.probing, name)
	}
}

func (w *worker) stopProbes() {
	for name := range w.probing {
		w.stopProbe(name)
	}
}

// target is the attempt of a container that is being probed.
type target struct {
	w       *worker
	pod     *corev1.Pod
	c       *corev1.Container
	id      string
	ip      string
	started time.Time
}

// kind is what a probe is for.
type kind string

const (
	startup   kind = "Startup"
	readiness kind = "Readiness"
	liveness  kind = "Liveness"
)

// run probes until ctx ends: startup first, then readiness and liveness beside each other.
func (t target) run(ctx context.Context, started bool) {
	if t.c.StartupProbe != nil && !started {
		if !t.startup(ctx) {
			return
		}
	}
	if t.c.LivenessProbe != nil {
		if t.c.ReadinessProbe == nil {
			t.liveness(ctx)
			return
		}
		t.w.ops.Go(func() { t.liveness(ctx) })
	}
	if t.c.ReadinessProbe != nil {
		t.readiness(ctx)
	}
}

// startup says whether the container came up; one that does not is condemned.
func (t target) startup(ctx context.Context) (up bool) {
	t.watch(ctx, startup, t.c.StartupProbe, func(ok bool) bool {
		up = ok
		if ok {
			t.tell(func(h *history) { h.started = true })
		} else {
			t.condemn("Container "+t.c.Name+" failed startup probe", t.c.StartupProbe)
		}
		return false
	})
	return up
}

func (t target) readiness(ctx context.Context) {
	t.watch(ctx, readiness, t.c.ReadinessProbe, func(ok bool) bool {
		t.tell(func(h *history) { h.ready = ok })
		return true
	})
}

func (t target) liveness(ctx context.Context) {
	t.watch(ctx, liveness, t.c.LivenessProbe, func(ok bool) bool {
		if !ok {
			t.condemn("Container "+t.c.Name+" failed liveness probe", t.c.LivenessProbe)
		}
		return ok
	})
}

// tell changes the history of this attempt, if it is still the last.
func (t target) tell(f func(*history)) {
	t.w.post(func(v *view) {
		if h := v.of(t.c.Name); h.last != nil && h.last.ID == t.id && h.last.End == nil {
			f(h)
		}
	})
}

func (t target) condemn(message string, p *corev1.Probe) {
	t.tell(func(h *history) { h.condemned = &verdict{message: message, grace: p.TerminationGracePeriodSeconds} })
}

// watch runs a probe each period and gives each change of its verdict to say, until that returns false or ctx ends.
//
// The first probe comes as soon as the initial delay is over. A server that needs some milliseconds to listen would then
// stay unready for a whole period, so a network probe is tried again at growing distances within the first period; those
// tries count when they succeed, and are not held against the container. Nor is the very first one, for a second.
func (t target) watch(ctx context.Context, what kind, p *corev1.Probe, say func(ok bool) bool) {
	period := time.Duration(max(p.PeriodSeconds, 1)) * time.Second
	first := t.started.Add(time.Duration(p.InitialDelaySeconds) * time.Second)
	if d := time.Until(first); d > 0 && !sleep(ctx, d) {
		return
	}
	run, last := int32(0), false
	known, verdict := false, false
	judge := func(ok bool) bool {
		if ok != last {
			run, last = 0, ok
		}
		run++
		if ok && run < max(p.SuccessThreshold, 1) || !ok && run < max(p.FailureThreshold, 1) {
			return true
		}
		if known && verdict == ok {
			return true
		}
		known, verdict = true, ok
		return say(ok)
	}
	eager := p.Exec == nil && what != liveness
	ok := eager && (t.once(ctx, what, p, false) || t.eager(ctx, what, p, time.Now().Add(time.Second)))
	began := time.Now()
	if !ok {
		ok = t.once(ctx, what, p, true)
	}
	if ctx.Err() != nil || !judge(ok) {
		return
	}
	if !ok && eager && t.eager(ctx, what, p, began.Add(period)) && !judge(true) {
		return
	}
	for next := began.Add(period); ; next = next.Add(period) {
		if now := time.Now(); next.Before(now) {
			next = now // a probe that took longer than its period
		}
		if !sleep(ctx, time.Until(next)) {
			return
		}
		if ok := t.once(ctx, what, p, true); ctx.Err() != nil || !judge(ok) {
			return
		}
	}
}

// eager tries again until until, and says whether a try succeeded.
func (t target) eager(ctx context.Context, what kind, p *corev1.Probe, until time.Time) bool {
	for d := 20 * time.Millisecond; time.Now().Add(d).Before(until); d = min(2*d, time.Second) {
		if !sleep(ctx, d) {
			return false
		}
		if t.once(ctx, what, p, false) {
			return true
		}
	}
	return false
}

// once probes once. A failure is an event, unless it is not to count.
func (t target) once(ctx context.Context, what kind, p *corev1.Probe, counts bool) bool {
	outcome := t.w.k.probes.probe(ctx, p, t)
	if ctx.Err() != nil || !counts {
		return outcome.ok
	}
	events := t.w.k.events
	switch {
	case outcome.err != nil:
		events.container(t.pod, t.c.Name, corev1.EventTypeWarning, "Unhealthy", string(what)+" probe errored and resulted in unknown state: "+outcome.err.Error())
	case outcome.warning:
		events.container(t.pod, t.c.Name, corev1.EventTypeWarning, "ProbeWarning", string(what)+" probe warning: "+outcome.text)
	case !outcome.ok:
		events.container(t.pod, t.c.Name, corev1.EventTypeWarning, "Unhealthy", string(what)+" probe failed: "+outcome.text)
	}
	return outcome.ok
}
