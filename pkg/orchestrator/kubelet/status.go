package kubelet

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// facts is what a status holds beside pod and view.
type facts struct {
	hostIPs []string
	scheme  string // of container ids: "skiff-oci://"
}

// podStatus makes a pod's status out of what is known. It is pure. base is the status that the API has.
func podStatus(pod *corev1.Pod, v *view, f facts, now time.Time) corev1.PodStatus {
	base := &pod.Status
	s := corev1.PodStatus{
		ObservedGeneration:    pod.Generation,
		StartTime:             base.StartTime,
		QOSClass:              qosClass(pod),
		NominatedNodeName:     "",
		ResourceClaimStatuses: base.ResourceClaimStatuses,
	}
	if s.StartTime == nil && !v.startTime.IsZero() {
		s.StartTime = apiTime(v.startTime)
	}
	b := statusBuilder{pod: pod, v: v, facts: f}
	s.InitContainerStatuses = b.containers(pod.Spec.InitContainers, true)
	s.ContainerStatuses = b.containers(pod.Spec.Containers, false)
	for i := range pod.Spec.EphemeralContainers {
		c := (*corev1.Container)(&pod.Spec.EphemeralContainers[i].EphemeralContainerCommon)
		s.EphemeralContainerStatuses = append(s.EphemeralContainerStatuses, b.container(c, false))
	}
	all := append(append([]corev1.ContainerStatus{}, s.InitContainerStatuses...), s.ContainerStatuses...)
	ended := v.failed != nil || v.gone || pod.DeletionTimestamp != nil || terminal(base.Phase)
	s.Phase = podPhase(pod, all, ended && !b.anyRunning())
	if terminal(base.Phase) {
		s.Phase = base.Phase
	}
	if s.Phase == base.Phase {
		s.Reason, s.Message = base.Reason, base.Message
	}
	if v.failed != nil && !terminal(base.Phase) {
		s.Phase, s.Reason, s.Message = corev1.PodFailed, v.failed.reason, v.failed.message
	}
	b.addresses(&s, base)
	s.Conditions = conditions(pod, v, all, s.Phase, now)
	return s
}

func apiTime(t time.Time) *metav1.Time {
	m := metav1.NewTime(t).Rfc3339Copy()
	return &m
}

type statusBuilder struct {
	facts
	pod *corev1.Pod
	v   *view
}

func (b *statusBuilder) anyRunning() bool {
	for _, h := range b.v.containers {
		if h.running() {
			return true
		}
	}
	return false
}

// addresses sets the node's and the pod's; the pod keeps its own after its sandbox has gone.
func (b *statusBuilder) addresses(s *corev1.PodStatus, base *corev1.PodStatus) {
	for _, ip := range b.hostIPs {
		s.HostIPs = append(s.HostIPs, corev1.HostIP{IP: ip})
	}
	if len(b.hostIPs) > 0 {
		s.HostIP = b.hostIPs[0]
	}
	var ips []string
	if b.v.sandbox != nil {
		ips = b.v.sandbox.IPs
		if b.pod.Spec.HostNetwork {
			ips = b.hostIPs
		}
	}
	for _, ip := range ips {
		s.PodIPs = append(s.PodIPs, corev1.PodIP{IP: ip})
	}
	if s.PodIPs == nil {
		s.PodIPs = base.PodIPs
	}
	if len(s.PodIPs) > 0 {
		s.PodIP = s.PodIPs[0].IP
	}
}

func (b *statusBuilder) containers(list []corev1.Container, init bool) []corev1.ContainerStatus {
	var out []corev1.ContainerStatus
	for i := range list {
		out = append(out, b.container(&list[i], init))
	}
	return out
}

// container makes one container's status.
func (b *statusBuilder) container(c *corev1.Container, init bool) corev1.ContainerStatus {
	h := b.v.containers[c.Name]
	if h == nil {
		h = &history{}
	}
	s := corev1.ContainerStatus{Name: c.Name, Image: c.Image, State: b.waiting(), VolumeMounts: mountStatuses(c)}
	switch {
	case h.last != nil:
		b.fromRuntime(&s, c, h)
	case h.prior != nil:
		fromPrior(&s, h.prior)
	}
	// What is not to run again does not wait, whatever held its only start up.
	if end := s.State.Terminated; h.held != nil && (end == nil || restarts(b.pod, c, end.ExitCode)) {
		if end != nil {
			s.LastTerminationState = s.State
		}
		s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: h.held.reason, Message: h.held.message}}
	}
	running := s.State.Running != nil
	started := running && h.started
	s.Started = &started
	s.Ready = started && h.ready
	if init && !sidecar(c) {
		started = running
		s.Ready = s.State.Terminated != nil && s.State.Terminated.ExitCode == 0
	}
	return s
}

// waiting is the state of a container that was never made.
func (b *statusBuilder) waiting() corev1.ContainerState {
	reason := "ContainerCreating"
	if len(b.pod.Spec.InitContainers) > 0 {
		reason = "PodInitializing"
	}
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
}

func (b *statusBuilder) fromRuntime(s *corev1.ContainerStatus, c *corev1.Container, h *history) {
	last := h.last
	s.RestartCount = int32(last.Config.Attempt)
	s.ContainerID = b.scheme + last.ID
	s.Image, s.ImageID = last.Config.Labels[labelImage], last.Config.Labels[labelImageID]
	if s.Image == "" {
		s.Image = c.Image
	}
	s.Resources = c.Resources.DeepCopy()
	s.AllocatedResources = c.Resources.Requests.DeepCopy()
	if sec := last.Config.Security; sec.UID >= 0 && sec.Username == "" {
		s.User = &corev1.ContainerUser{Linux: &corev1.LinuxContainerUser{UID: sec.UID, GID: sec.GID, SupplementalGroups: sec.Groups}}
		if len(sec.Groups) == 0 {
			s.User.Linux.SupplementalGroups = []int64{sec.GID}
		}
	}
	switch {
	case h.prev != nil && h.prev.End != nil:
		s.LastTerminationState.Terminated = h.prev.End
	case h.prior != nil && h.prior.State.Terminated != nil && h.prior.ContainerID != s.ContainerID:
		s.LastTerminationState.Terminated = h.prior.State.Terminated
	case h.prior != nil:
		s.LastTerminationState = h.prior.LastTerminationState
	}
	switch {
	case last.End != nil:
		s.State = corev1.ContainerState{Terminated: last.End}
	case last.State == container.Running && !h.hooking:
		s.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: *apiTime(last.Started)}}
	}
}

// fromPrior keeps what an earlier agent said of a container that the runtime has lost. One that ran then has ended now, for a
// reason nobody knows.
func fromPrior(s *corev1.ContainerStatus, prior *corev1.ContainerStatus) {
	s.RestartCount, s.LastTerminationState = prior.RestartCount, prior.LastTerminationState
	s.ImageID, s.ContainerID = prior.ImageID, prior.ContainerID
	s.Image, s.Resources, s.AllocatedResources, s.User = prior.Image, prior.Resources, prior.AllocatedResources, prior.User
	if prior.State.Terminated != nil {
		s.State = prior.State
	}
}

func mountStatuses(c *corev1.Container) []corev1.VolumeMountStatus {
	var out []corev1.VolumeMountStatus
	for _, m := range c.VolumeMounts {
		s := corev1.VolumeMountStatus{Name: m.Name, MountPath: m.MountPath, ReadOnly: m.ReadOnly}
		if m.ReadOnly {
			mode := corev1.RecursiveReadOnlyDisabled
			if m.RecursiveReadOnly != nil && *m.RecursiveReadOnly != corev1.RecursiveReadOnlyDisabled {
				mode = corev1.RecursiveReadOnlyEnabled
			}
			s.RecursiveReadOnly = &mode
		}
		out = append(out, s)
	}
	return out
}

// podPhase is the pod's phase, by the real agent's counts: ended says that nothing will be started any more.
func podPhase(pod *corev1.Pod, all []corev1.ContainerStatus, ended bool) corev1.PodPhase {
	n := count(pod, all)
	switch {
	case n.initFailed > 0:
		return corev1.PodFailed
	case n.initPending > 0 || n.sidecarPending > 0 && !n.everStarted || n.waiting > 0:
		return corev1.PodPending
	case n.running > 0 && n.unknown == 0:
		return corev1.PodRunning
	case n.running == 0 && n.stopped > 0 && n.unknown == 0:
		switch {
		case !ended && n.stopped != n.final:
			return corev1.PodRunning
		case n.stopped == n.succeeded:
			return corev1.PodSucceeded
		}
		return corev1.PodFailed
	}
	return corev1.PodPending
}

type counts struct {
	initPending, initFailed, sidecarPending int
	unknown, running, waiting, stopped      int
	final, succeeded                        int
	everStarted                             bool
}

func count(pod *corev1.Pod, all []corev1.ContainerStatus) counts {
	byName := make(map[string]*corev1.ContainerStatus, len(all))
	for i := range all {
		byName[all[i].Name] = &all[i]
	}
	var n counts
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		if sidecar(c) {
			n.sidecar(byName[c.Name])
		} else {
			n.init(pod, c, byName[c.Name])
		}
	}
	for i := range pod.Spec.Containers {
		n.main(pod, &pod.Spec.Containers[i], byName[pod.Spec.Containers[i].Name])
	}
	return n
}

func (n *counts) init(pod *corev1.Pod, c *corev1.Container, s *corev1.ContainerStatus) {
	t := s.State.Terminated
	if s.State.Waiting != nil {
		t = s.LastTerminationState.Terminated
	}
	switch {
	case t == nil:
		n.initPending++
	case t.ExitCode != 0 && !restarts(pod, c, t.ExitCode):
		n.initFailed++
	case t.ExitCode != 0:
		n.initPending++
	}
}

func (n *counts) sidecar(s *corev1.ContainerStatus) {
	switch {
	case s.State.Running != nil:
		if s.Started == nil || !*s.Started {
			n.sidecarPending++
		}
		n.running++
	case s.State.Waiting != nil && s.LastTerminationState.Terminated == nil:
		n.sidecarPending++
		n.waiting++
	}
}

func (n *counts) main(pod *corev1.Pod, c *corev1.Container, s *corev1.ContainerStatus) {
	t := s.State.Terminated
	if s.State.Waiting != nil {
		t = s.LastTerminationState.Terminated
	}
	switch {
	case s.State.Running != nil:
		n.running++
		n.everStarted = true
	case t == nil:
		n.waiting++
	default:
		n.everStarted = true
		n.stopped++
		if !restarts(pod, c, t.ExitCode) {
			n.final++
		}
		if s.State.Terminated != nil && t.ExitCode == 0 {
			n.succeeded++
		}
	}
}

// qosClass is the pod's quality-of-service class; the API server has computed it already for all but odd pods.
func qosClass(pod *corev1.Pod) corev1.PodQOSClass {
	if pod.Status.QOSClass != "" {
		return pod.Status.QOSClass
	}
	guaranteed, any := true, false
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			r := &list[i].Resources
			for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
				limit, request := r.Limits[name], r.Requests[name]
				any = any || !limit.IsZero() || !request.IsZero()
				if limit.IsZero() || (!request.IsZero() && request.Cmp(limit) != 0) {
					guaranteed = false
				}
			}
		}
	}
	switch {
	case !any:
		return corev1.PodQOSBestEffort
	case guaranteed:
		return corev1.PodQOSGuaranteed
	}
	return corev1.PodQOSBurstable
}
