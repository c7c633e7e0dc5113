package kubelet

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// verb is what a step does.
type verb string

const (
	prepare     verb = "prepare"      // make volumes and sandbox
	start       verb = "start"        // pull, create and start a container
	stop        verb = "stop"         // stop a container
	hold        verb = "hold"         // make a container wait in CrashLoopBackOff
	shift       verb = "shift"        // go on to the next reason to wait
	fail        verb = "fail"         // end the pod for a reason
	stopSandbox verb = "stop-sandbox" // all have ended
	finish      verb = "finish"       // remove what is left, and the pod from the API
)

// step is one thing to do.
type step struct {
	do        verb
	container string
	message   string
	reason    string
	grace     time.Duration
	until     time.Time
}

// plan is what to do for a pod now, and when to look again at the latest (zero: when something happens).
type plan struct {
	steps []step
	wake  time.Time
}

// minimalGrace is what a container always has between SIGTERM and SIGKILL.
const minimalGrace = 2 * time.Second

// decide plans for one pod. It is pure: what it is given is not changed.
func decide(pod *corev1.Pod, v *view, now time.Time) plan {
	p := &planner{pod: pod, v: v, now: now}
	switch {
	case v.finishing:
	case p.ending():
		p.end()
	default:
		p.deadline()
		p.run()
	}
	return p.plan
}

type planner struct {
	plan
	pod     *corev1.Pod
	v       *view
	now     time.Time
	started bool // a start is under way or planned: containers start one after the other
}

func (p *planner) add(s step) { p.steps = append(p.steps, s) }

func (p *planner) wakeAt(t time.Time) {
	if !t.IsZero() && (p.wake.IsZero() || t.Before(p.wake)) {
		p.wake = t
	}
}

// ending says that the pod is to stop, for good.
func (p *planner) ending() bool {
	return p.v.gone || p.pod.DeletionTimestamp != nil || p.v.failed != nil || terminal(p.pod.Status.Phase)
}

func terminal(phase corev1.PodPhase) bool {
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}

// deadline ends a pod that has been active for too long.
func (p *planner) deadline() {
	if p.pod.Spec.ActiveDeadlineSeconds == nil || p.v.startTime.IsZero() {
		return
	}
	at := p.v.startTime.Add(time.Duration(*p.pod.Spec.ActiveDeadlineSeconds) * time.Second)
	if p.now.Before(at) {
		p.wakeAt(at)
		return
	}
	p.add(step{do: fail, reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline"})
}

// run brings the pod's containers up, and keeps them so.
func (p *planner) run() {
	if !p.needed() {
		p.complete()
		return
	}
	if p.v.sandbox == nil || !p.v.sandbox.Ready {
		p.prepare()
		return
	}
	for _, h := range p.v.containers {
		p.started = p.started || h.starting
	}
	initialized := p.initialized()
	if p.initContainers(initialized) || initialized {
		for i := range p.pod.Spec.Containers {
			p.main(&p.pod.Spec.Containers[i])
		}
	}
	p.ephemeral()
}

func (p *planner) prepare() {
	if p.v.preparing {
		return
	}
	if p.now.Before(p.v.prepareAt) {
		p.wakeAt(p.v.prepareAt)
		return
	}
	p.add(step{do: prepare})
}

// needed says whether any container runs or is to run.
func (p *planner) needed() bool {
	if p.initFailed() {
		return false
	}
	for i := range p.pod.Spec.Containers {
		c := &p.pod.Spec.Containers[i]
		h := p.v.of(c.Name)
		if h.starting || h.running() {
			return true
		}
		if code, ended := exitCode(h); !ended || restarts(p.pod, c, code) || h.last != nil && changed(c, h) {
			return true
		}
	}
	return false
}

// exitCode is how a container ended last.
func exitCode(h *history) (code int32, ended bool) {
	switch {
	case h.last != nil && h.last.End != nil:
		return h.last.End.ExitCode, true
	case h.last == nil && h.prior != nil && h.prior.State.Terminated != nil:
		return h.prior.State.Terminated.ExitCode, true
	}
	return 0, false
}

// initFailed says that an init container ended for good, and badly.
func (p *planner) initFailed() bool {
	if p.initialized() {
		return false
	}
	for i := range p.pod.Spec.InitContainers {
		c := &p.pod.Spec.InitContainers[i]
		h := p.v.of(c.Name)
		if sidecar(c) || h.starting || h.running() {
			continue
		}
		if code, ended := exitCode(h); ended && code != 0 && !restarts(p.pod, c, code) {
			return true
		}
	}
	return false
}

// initialized says that a container of the pod itself was made in this sandbox: the init containers have had their turn.
func (p *planner) initialized() bool {
	for i := range p.pod.Spec.Containers {
		if p.v.state(p.v.of(p.pod.Spec.Containers[i].Name)) != "" {
			return true
		}
	}
	return false
}

// initContainers goes through them in order and says whether all have done their part.
func (p *planner) initContainers(initialized bool) bool {
	for i := range p.pod.Spec.InitContainers {
		c := &p.pod.Spec.InitContainers[i]
		h := p.v.of(c.Name)
		state := p.v.state(h)
		if sidecar(c) {
			if state == container.Running {
				p.condemned(c, h)
				if !h.hooking && (h.started || initialized) {
					continue
				}
				return false
			}
			p.start(c, h)
			if !initialized {
				return false
			}
			continue
		}
		switch {
		case initialized:
		case state == container.Exited && h.last.End.ExitCode == 0:
		case state == container.Exited && !restarts(p.pod, c, h.last.End.ExitCode):
			return false
		case state == container.Running:
			return false
		default:
			p.start(c, h)
			return false
		}
	}
	return true
}

func (p *planner) main(c *corev1.Container) {
	h := p.v.of(c.Name)
	switch p.v.state(h) {
	case container.Running:
		p.condemned(c, h)
	case container.Exited:
		if restarts(p.pod, c, h.last.End.ExitCode) || changed(c, h) {
			p.start(c, h)
		}
	default:
		if code, ended := exitCode(h); ended && !restarts(p.pod, c, code) {
			return
		}
		p.start(c, h)
	}
}

// changed says that the pod names another image for a container than it was started with.
func changed(c *corev1.Container, h *history) bool {
	return h.last.Config.ImageRef != "" && h.last.Config.ImageRef != c.Image
}

// ephemeral containers start once and never again.
func (p *planner) ephemeral() {
	for i := range p.pod.Spec.EphemeralContainers {
		c := (*corev1.Container)(&p.pod.Spec.EphemeralContainers[i].EphemeralContainerCommon)
		if h := p.v.of(c.Name); h.last == nil && h.prior == nil {
			p.start(c, h)
		}
	}
}

// condemned stops a container that a probe has judged, or whose image the pod has changed.
func (p *planner) condemned(c *corev1.Container, h *history) {
	if !h.stopBy.IsZero() || h.starting {
		return
	}
	if changed(c, h) {
		p.add(step{do: stop, container: c.Name, message: "Container " + c.Name + " definition changed, will be restarted", grace: p.grace()})
		return
	}
	if h.condemned == nil {
		return
	}
	grace := p.grace()
	if g := h.condemned.grace; g != nil {
		grace = time.Duration(*g) * time.Second
	}
	message := h.condemned.message
	if restarts(p.pod, c, 137) {
		message += ", will be restarted"
	}
	p.add(step{do: stop, container: c.Name, message: message, grace: grace})
}

// start starts a container unless it is held back, or another one is under way.
func (p *planner) start(c *corev1.Container, h *history) {
	if h.starting {
		return
	}
	if h.held != nil {
		if next := h.held.next; next != nil && !p.now.Before(h.held.shift) {
			p.add(step{do: shift, container: c.Name})
			p.wakeAt(next.retry)
			return
		}
		if p.now.Before(h.held.retry) {
			p.wakeAt(h.held.retry)
			if h.held.next != nil {
				p.wakeAt(h.held.shift)
			}
			return
		}
	}
	if h.last != nil && h.last.End != nil && !h.last.counted {
		if until := h.backoff.until(h.last.Finished); p.now.Before(until) {
			p.add(step{do: hold, container: c.Name, until: until,
				message: fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", h.backoff.delay, c.Name, podRef(p.pod))})
			p.wakeAt(until)
			return
		}
	}
	if p.started {
		return
	}
	p.started = true
	p.add(step{do: start, container: c.Name})
}

const crashLoop = "CrashLoopBackOff"

// podRef names a pod in messages.
func podRef(pod *corev1.Pod) string {
	return fmt.Sprintf("%s_%s(%s)", pod.Name, pod.Namespace, pod.UID)
}

// complete ends a pod whose containers are all done: sidecars stop, then the sandbox.
func (p *planner) complete() {
	if p.stopAll() && p.v.sandbox != nil && p.v.sandbox.Ready && !p.v.stopping {
		p.add(step{do: stopSandbox})
	}
}

// end stops a pod. What is deleted leaves the API, the rest stays to be looked at.
func (p *planner) end() {
	if !p.stopAll() {
		return
	}
	switch {
	case p.v.preparing || p.v.stopping:
	case p.v.gone || p.pod.DeletionTimestamp != nil:
		p.add(step{do: finish})
	case p.v.sandbox != nil && p.v.sandbox.Ready:
		p.add(step{do: stopSandbox})
	}
}

// stopAll stops what runs, sidecars last and in reverse order, and says whether all have ended.
func (p *planner) stopAll() bool {
	all := true
	var names []string
	for i := range p.pod.Spec.Containers {
		names = append(names, p.pod.Spec.Containers[i].Name)
	}
	for i := range p.pod.Spec.EphemeralContainers {
		names = append(names, p.pod.Spec.EphemeralContainers[i].Name)
	}
	for i := range p.pod.Spec.InitContainers {
		if c := &p.pod.Spec.InitContainers[i]; !sidecar(c) {
			names = append(names, c.Name)
		}
	}
	for _, name := range names {
		all = p.stopOne(name) && all
	}
	for i := len(p.pod.Spec.InitContainers) - 1; i >= 0 && all; i-- {
		if c := &p.pod.Spec.InitContainers[i]; sidecar(c) {
			all = p.stopOne(c.Name)
		}
	}
	return all
}

// stopOne stops a container, again if the grace has become shorter, and says whether it has ended.
func (p *planner) stopOne(name string) bool {
	h := p.v.of(name)
	if !h.running() {
		return !h.starting
	}
	if h.starting && !h.hooking {
		return false
	}
	grace := p.grace()
	if !p.v.stopBegan.IsZero() {
		grace -= p.now.Sub(p.v.stopBegan)
	}
	grace = max(grace, minimalGrace)
	if h.stopBy.IsZero() || p.now.Add(grace).Before(h.stopBy.Add(-time.Second)) {
		p.add(step{do: stop, container: name, message: "Stopping container " + name, grace: grace})
	}
	return false
}

// grace is how long a container has to end by itself.
func (p *planner) grace() time.Duration {
	switch {
	case p.pod.DeletionGracePeriodSeconds != nil:
		return time.Duration(*p.pod.DeletionGracePeriodSeconds) * time.Second
	case p.pod.Spec.TerminationGracePeriodSeconds != nil:
		return time.Duration(*p.pod.Spec.TerminationGracePeriodSeconds) * time.Second
	}
	return minimalGrace
}
