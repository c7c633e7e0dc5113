package core

import (
	"fmt"
	"strconv"

	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var podColumns = &api.Table[*corev1.Pod]{
	Definitions: []metav1.TableColumnDefinition{
		api.NameColumn(),
		api.Column("Ready", "string", "The aggregate readiness state of this pod for accepting traffic."),
		api.Column("Status", "string", "The aggregate status of the containers in this pod."),
		api.Column("Restarts", "string", "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted."),
		api.AgeColumn(),
		api.WideColumn("IP", corev1.PodStatus{}.SwaggerDoc()["podIP"]),
		api.WideColumn("Node", corev1.PodSpec{}.SwaggerDoc()["nodeName"]),
		api.WideColumn("Nominated Node", corev1.PodStatus{}.SwaggerDoc()["nominatedNodeName"]),
		api.WideColumn("Readiness Gates", corev1.PodSpec{}.SwaggerDoc()["readinessGates"]),
	},
	Cells: func(p *corev1.Pod) []any {
		s := SummarizePod(p)
		ip := ""
		if len(p.Status.PodIPs) > 0 {
			ip = p.Status.PodIPs[0].IP
		}
		return []any{
			p.Name, fmt.Sprintf("%d/%d", s.Ready, s.Total), s.Status, s.restarts(), api.Age(p.CreationTimestamp.Time),
			orNone(ip), orNone(p.Spec.NodeName), orNone(p.Status.NominatedNodeName), readinessGates(p),
		}
	},
	Conditions: func(p *corev1.Pod) []metav1.TableRowCondition {
		done := metav1.TableRowCondition{Type: metav1.RowCompleted, Status: metav1.ConditionTrue, Reason: string(p.Status.Phase)}
		switch p.Status.Phase {
		case corev1.PodSucceeded:
			done.Message = "The pod has completed successfully."
		case corev1.PodFailed:
			done.Message = "The pod failed."
		default:
			return nil
		}
		return []metav1.TableRowCondition{done}
	},
}

// PodSummary is a pod in the few words of a table row.
type PodSummary struct {
	Status       string
	Ready, Total int
	Restarts     int
	LastRestart  metav1.Time
}

// SummarizePod says what state a pod is in, as `get pods` does: the phase, unless a container has more to tell.
func SummarizePod(p *corev1.Pod) PodSummary {
	s := PodSummary{Status: string(p.Status.Phase), Total: len(p.Spec.Containers)}
	if p.Status.Reason != "" {
		s.Status = p.Status.Reason
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonSchedulingGated {
			s.Status = corev1.PodReasonSchedulingGated
		}
	}
	sidecars := sidecarNames(p)
	s.Total += len(sidecars)

	initializing, sidecarRestarts := s.addInit(p, sidecars)
	if !initializing || conditionTrue(p, corev1.PodInitialized) {
		s.Restarts, s.LastRestart = sidecarRestarts.Restarts, sidecarRestarts.LastRestart
		s.addContainers(p)
	}
	switch {
	case p.DeletionTimestamp == nil:
	case p.Status.Reason == "NodeLost":
		s.Status = "Unknown"
	case p.Status.Phase != corev1.PodSucceeded && p.Status.Phase != corev1.PodFailed:
		s.Status = "Terminating"
	}
	return s
}

// addInit reads the init containers up to the first that is not done. Restarts of sidecars are also counted apart, since
// they alone go on counting once the pod is initialized.
func (s *PodSummary) addInit(p *corev1.Pod, sidecars map[string]bool) (initializing bool, ofSidecars PodSummary) {
	for i := range p.Status.InitContainerStatuses {
		c := &p.Status.InitContainerStatuses[i]
		s.countRestarts(c)
		if sidecars[c.Name] {
			ofSidecars.countRestarts(c)
		}
		switch end := c.State.Terminated; {
		case end != nil && end.ExitCode == 0:
			continue
		case sidecars[c.Name] && c.Started != nil && *c.Started:
			if c.Ready {
				s.Ready++
			}
			continue
		case end != nil:
			s.Status = "Init:" + endReason(end)
		case c.State.Waiting != nil && c.State.Waiting.Reason != "" && c.State.Waiting.Reason != "PodInitializing":
			s.Status = "Init:" + c.State.Waiting.Reason
		default:
			s.Status = fmt.Sprintf("Init:%d/%d", i, len(p.Spec.InitContainers))
		}
		return true, ofSidecars
	}
	return false, ofSidecars
}

func (s *PodSummary) addContainers(p *corev1.Pod) {
	running, failed := false, ""
	for i := len(p.Status.ContainerStatuses) - 1; i >= 0; i-- {
		c := &p.Status.ContainerStatuses[i]
		s.countRestarts(c)
		switch end := c.State.Terminated; {
		case c.State.Waiting != nil && c.State.Waiting.Reason != "":
			s.Status = c.State.Waiting.Reason
		case end != nil:
			s.Status = endReason(end)
			if end.ExitCode != 0 {
				failed = s.Status
			}
		case c.Ready && c.State.Running != nil:
			running = true
			s.Ready++
		}
	}
	// One container being done says nothing while another runs or has failed.
	if s.Status == "Completed" {
		switch {
		case running && conditionTrue(p, corev1.PodReady):
			s.Status = "Running"
		case failed != "":
			s.Status = failed
		case running:
			s.Status = "NotReady"
		}
	}
}

func (s *PodSummary) countRestarts(c *corev1.ContainerStatus) {
	s.Restarts += int(c.RestartCount)
	if last := c.LastTerminationState.Terminated; last != nil && s.LastRestart.Before(&last.FinishedAt) {
		s.LastRestart = last.FinishedAt
	}
}

func (s *PodSummary) restarts() string {
	if s.Restarts != 0 && !s.LastRestart.IsZero() {
		return fmt.Sprintf("%d (%s ago)", s.Restarts, api.Age(s.LastRestart.Time))
	}
	return strconv.Itoa(s.Restarts)
}

func endReason(end *corev1.ContainerStateTerminated) string {
	switch {
	case end.Reason != "":
		return end.Reason
	case end.Signal != 0:
		return fmt.Sprintf("Signal:%d", end.Signal)
	}
	return fmt.Sprintf("ExitCode:%d", end.ExitCode)
}

func readinessGates(p *corev1.Pod) string {
	if len(p.Spec.ReadinessGates) == 0 {
		return "<none>"
	}
	open := 0
	for _, g := range p.Spec.ReadinessGates {
		if conditionTrue(p, g.ConditionType) {
			open++
		}
	}
	return fmt.Sprintf("%d/%d", open, len(p.Spec.ReadinessGates))
}

// conditionTrue says whether the first condition of a type is true.
func conditionTrue(p *corev1.Pod, typ corev1.PodConditionType) bool {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == typ {
			return p.Status.Conditions[i].Status == corev1.ConditionTrue
		}
	}
	return false
}

// sidecarNames are the init containers that go on running.
func sidecarNames(p *corev1.Pod) map[string]bool {
	var names map[string]bool
	for i := range p.Spec.InitContainers {
		if c := &p.Spec.InitContainers[i]; isSidecar(c) {
			if names == nil {
				names = map[string]bool{}
			}
			names[c.Name] = true
		}
	}
	return names
}

func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

func orNone(s string) string {
	if s == "" {
		return "<none>"
	}
	return s
}
