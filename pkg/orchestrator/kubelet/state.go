package kubelet

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// view is what the agent knows of a pod's runtime side. Only the pod's worker reads and writes it.
type view struct {
	sandbox    *container.Sandbox // the newest, nil before the first
	attempts   int                // sandboxes made so far
	preparing  bool               // volumes and sandbox are being made
	prepareAt  time.Time          // not before this
	stopping   bool               // the sandbox is being stopped
	containers map[string]*history
	// gone says that the pod is no longer in the API.
	gone bool
	// failed ends the pod against its own will: a deadline, a refusal.
	failed *failure
	// stopBegan is when the end of the pod began.
	stopBegan time.Time
	finishing bool
	startTime time.Time
}

type failure struct{ reason, message string }

// history is what the agent knows of one container.
type history struct {
	last, prev *attempt
	// prior is the status that an earlier agent reported of a container that the runtime no longer knows.
	prior *corev1.ContainerStatus
	// starting says that an image is pulled or a container made; hooking, that it runs but its postStart hook has not ended.
	starting, hooking bool
	// held says why it waits.
	held *held
	// stopBy is when the stop under way will kill; zero when there is none.
	stopBy time.Time
	// started and ready are the probes' verdicts on the last attempt.
	started, ready bool
	// condemned is set when a probe wants it stopped.
	condemned *verdict
	backoff   backoff
	// resized is the generation of the pod whose resources the container has.
	resized int64
}

// verdict is a probe's wish to have a container stopped.
type verdict struct {
	message string
	grace   *int64
}

// attempt is one container of the runtime; End is set once it has ended.
type attempt struct {
	container.Container
	End *corev1.ContainerStateTerminated
	// counted says that the back-off has taken its end into account.
	counted bool
}

// held is why a container waits: shown as its waiting state until retry.
type held struct {
	reason, message string
	retry           time.Time
	// next follows at shift: ErrImagePull becomes ImagePullBackOff.
	next  *held
	shift time.Time
	// config says that an object which arrives may end it.
	config bool
}

// backoff is the delay between restarts of a container: 10 s, doubling to 300 s, and anew after ten quiet minutes.
type backoff struct {
	delay time.Duration // 0: none yet
	set   time.Time
}

const (
	backoffFirst = 10 * time.Second
	backoffMost  = 300 * time.Second
)

// until is the time before which a container that ended at finished may not start again; zero where it may at once.
func (b backoff) until(finished time.Time) time.Time {
	if b.delay == 0 || b.expired(finished) {
		return time.Time{}
	}
	return finished.Add(b.delay)
}

func (b backoff) expired(at time.Time) bool { return at.Sub(b.set) > 2*backoffMost }

// next is the back-off after a restart at now of a container that ended at finished.
func (b backoff) next(finished, now time.Time) backoff {
	if b.delay == 0 || b.expired(finished) {
		return backoff{delay: backoffFirst, set: now}
	}
	return backoff{delay: min(2*b.delay, backoffMost), set: now}
}

// of gives the history of a container, making an empty one.
func (v *view) of(name string) *history {
	h := v.containers[name]
	if h == nil {
		h = &history{}
		v.containers[name] = h
	}
	return h
}

// state is the container's state in the current sandbox; "" where it was never made there.
func (v *view) state(h *history) container.State {
	if h.last == nil || v.sandbox == nil || h.last.SandboxID != v.sandbox.ID {
		return ""
	}
	return h.last.State
}

// running says that the container runs, in whatever sandbox.
func (h *history) running() bool {
	return h.last != nil && h.last.State != container.Exited
}

// sidecar says that an init container stays beside the others.
func sidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// restarts says whether a container that ended with code is to run again.
func restarts(pod *corev1.Pod, c *corev1.Container, code int32) bool {
	for _, r := range c.RestartPolicyRules {
		if r.ExitCodes == nil {
			continue
		}
		in := false
		for _, v := range r.ExitCodes.Values {
			in = in || v == code
		}
		if in == (r.ExitCodes.Operator == corev1.ContainerRestartRuleOnExitCodesOpIn) {
			return true
		}
	}
	policy := pod.Spec.RestartPolicy
	if c.RestartPolicy != nil {
		policy = corev1.RestartPolicy(*c.RestartPolicy)
	} else if isInit(pod, c) && policy == corev1.RestartPolicyAlways {
		policy = corev1.RestartPolicyOnFailure
	}
	switch policy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return code != 0
	}
	return true
}

func isInit(pod *corev1.Pod, c *corev1.Container) bool {
	for i := range pod.Spec.InitContainers {
		if pod.Spec.InitContainers[i].Name == c.Name {
			return true
		}
	}
	return false
}

// findContainer finds a container of the pod by name, of whatever sort; nil where there is none.
func findContainer(pod *corev1.Pod, name string) *corev1.Container {
	for _, list := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	for i := range pod.Spec.EphemeralContainers {
		if pod.Spec.EphemeralContainers[i].Name == name {
			return (*corev1.Container)(&pod.Spec.EphemeralContainers[i].EphemeralContainerCommon)
		}
	}
	return nil
}
