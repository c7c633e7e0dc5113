package core

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/api"
)

// DescribePodTemplate writes a pod template, as the descriptions of workloads show it.
func DescribePodTemplate(w *api.DescribeWriter, t *corev1.PodTemplateSpec) {
	w.Print(0, "Pod Template:\n")
	w.Labels("  Labels", t.Labels)
	if len(t.Annotations) > 0 {
		w.Annotations("  Annotations", t.Annotations)
	}
	w.FieldIf(1, "Service Account", t.Spec.ServiceAccountName)
	d := podDescriber{w: w, indent: "  "}
	if len(t.Spec.InitContainers) > 0 {
		d.containers("Init Containers", t.Spec.InitContainers, nil)
	}
	d.containers("Containers", t.Spec.Containers, nil)
	d.volumes(t.Spec.Volumes)
	d.spread(t.Spec.TopologySpreadConstraints)
	w.FieldIf(1, "Priority Class Name", t.Spec.PriorityClassName)
	w.Labels("  Node-Selectors", t.Spec.NodeSelector)
	d.tolerations(t.Spec.Tolerations)
	d.schedulingGroup(t.Spec.SchedulingGroup)
}

// podDescriber writes the parts of a pod or of a template; pod is nil for the latter, whose indent is two blanks.
type podDescriber struct {
	w      *api.DescribeWriter
	pod    *corev1.Pod
	indent string
}

// name is how names of containers and volumes are led in: one more blank in a template.
func (d podDescriber) name(n string) string {
	if d.indent != "" {
		return " " + n
	}
	return n
}

func (d podDescriber) containers(title string, containers []corev1.Container, statuses []corev1.ContainerStatus) {
	none := ""
	if len(containers) == 0 {
		none = " <none>"
	}
	d.w.Print(0, "%s%s:%s\n", d.indent, title, none)
	for i := range containers {
		var status *corev1.ContainerStatus
		if at := slices.IndexFunc(statuses, func(s corev1.ContainerStatus) bool { return s.Name == containers[i].Name }); at >= 0 {
			status = &statuses[at]
		}
		d.container(&containers[i], status)
	}
}

func (d podDescriber) container(c *corev1.Container, status *corev1.ContainerStatus) {
	w := d.w
	w.Print(1, "%s:\n", d.name(c.Name))
	if status != nil {
		w.Field(2, "Container ID", status.ContainerID)
	}
	w.Field(2, "Image", c.Image)
	if status != nil {
		w.Field(2, "Image ID", status.ImageID)
	}
	d.ports("Port", c.Ports, func(p *corev1.ContainerPort) int32 { return p.ContainerPort })
	d.ports("Host Port", c.Ports, func(p *corev1.ContainerPort) int32 { return p.HostPort })
	if sc := c.SecurityContext; sc != nil && sc.SeccompProfile != nil {
		w.Field(2, "SeccompProfile", sc.SeccompProfile.Type)
		if sc.SeccompProfile.Type == corev1.SeccompProfileTypeLocalhost {
			w.Field(3, "LocalhostProfile", *sc.SeccompProfile.LocalhostProfile)
		}
	}
	d.words("Command", c.Command)
	d.words("Args", c.Args)
	if status != nil {
		d.status(status)
	}
	DescribeResources(w, &c.Resources, 2)
	d.probe("Liveness", c.LivenessProbe)
	d.probe("Readiness", c.ReadinessProbe)
	d.probe("Startup", c.StartupProbe)
	d.envFrom(c.EnvFrom)
	d.env(c)
	d.mounts(c)
}

// ports writes "Port: 80/TCP (web)", in the plural for several.
func (d podDescriber) ports(title string, ports []corev1.ContainerPort, number func(*corev1.ContainerPort) int32) {
	var all []string
	for i := range ports {
		text := fmt.Sprintf("%d/%s", number(&ports[i]), ports[i].Protocol)
		if ports[i].Name != "" {
			text += " (" + ports[i].Name + ")"
		}
		all = append(all, text)
	}
	if len(all) > 1 {
		title += "s"
	}
	d.w.Field(2, title, api.None(strings.Join(all, ", ")))
}

func (d podDescriber) words(title string, words []string) {
	if len(words) == 0 {
		return
	}
	d.w.Print(2, "%s:\n", title)
	for _, word := range words {
		for line := range strings.SplitSeq(word, "\n") {
			d.w.Print(3, "%s\n", line)
		}
	}
}

func (d podDescriber) status(s *corev1.ContainerStatus) {
	d.state("State", &s.State)
	if s.LastTerminationState.Terminated != nil {
		d.state("Last State", &s.LastTerminationState)
	}
	ready := "False"
	if s.Ready {
		ready = "True"
	}
	d.w.Field(2, "Ready", ready)
	d.w.Field(2, "Restart Count", s.RestartCount)
}

func (d podDescriber) state(title string, s *corev1.ContainerState) {
	w := d.w
	switch {
	case s.Running != nil:
		w.Field(2, title, "Running")
		w.Field(3, "Started", api.Time(s.Running.StartedAt))
	case s.Terminated != nil:
		t := s.Terminated
		w.Field(2, title, "Terminated")
		w.FieldIf(3, "Reason", t.Reason)
		w.FieldIf(3, "Message", t.Message)
		w.Field(3, "Exit Code", t.ExitCode)
		if t.Signal > 0 {
			w.Field(3, "Signal", t.Signal)
		}
		w.Field(3, "Started", api.Time(t.StartedAt))
		w.Field(3, "Finished", api.Time(t.FinishedAt))
	default:
		w.Field(2, title, "Waiting")
		if s.Waiting != nil {
			w.FieldIf(3, "Reason", s.Waiting.Reason)
		}
	}
}

// DescribeResources writes limits and requests.
func DescribeResources(w *api.DescribeWriter, r *corev1.ResourceRequirements, level int) {
	for _, part := range []struct {
		title string
		list  corev1.ResourceList
	}{{"Limits", r.Limits}, {"Requests", r.Requests}} {
		if len(part.list) > 0 {
			w.Print(level, "%s:\n", part.title)
		}
		describeResourceList(w, part.list, level+1)
	}
}

func describeResourceList(w *api.DescribeWriter, list corev1.ResourceList, level int) {
	for _, name := range sortedResources(list) {
		quantity := list[name]
		w.Field(level, string(name), quantity.String())
	}
}

func sortedResources(list corev1.ResourceList) []corev1.ResourceName {
	names := make([]corev1.ResourceName, 0, len(list))
	for name := range list {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (d podDescriber) probe(title string, p *corev1.Probe) {
	if p != nil {
		d.w.Field(2, title, probeText(p))
	}
}

func probeText(p *corev1.Probe) string {
	times := fmt.Sprintf("delay=%ds timeout=%ds period=%ds successThreshold=%d failureThreshold=%d",
		p.InitialDelaySeconds, p.TimeoutSeconds, p.PeriodSeconds, p.SuccessThreshold, p.FailureThreshold)
	switch {
	case p.Exec != nil:
		return fmt.Sprintf("exec %v %s", p.Exec.Command, times)
	case p.HTTPGet != nil:
		u := url.URL{Scheme: strings.ToLower(string(p.HTTPGet.Scheme)), Host: p.HTTPGet.Host, Path: p.HTTPGet.Path}
		if port := p.HTTPGet.Port.String(); port != "" {
			u.Host = net.JoinHostPort(p.HTTPGet.Host, port)
		}
		return fmt.Sprintf("http-get %s %s", u.String(), times)
	case p.TCPSocket != nil:
		return fmt.Sprintf("tcp-socket %s:%s %s", p.TCPSocket.Host, p.TCPSocket.Port.String(), times)
	case p.GRPC != nil:
		service := ""
		if p.GRPC.Service != nil {
			service = *p.GRPC.Service
		}
		return fmt.Sprintf("grpc <pod>:%d %s %s", p.GRPC.Port, service, times)
	}
	return "unknown " + times
}

func (d podDescriber) mounts(c *corev1.Container) {
	none := ""
	if len(c.VolumeMounts) == 0 {
		none = "\t<none>"
	}
	d.w.Print(2, "Mounts:%s\n", none)
	mounts := slices.SortedFunc(slices.Values(c.VolumeMounts), func(a, b corev1.VolumeMount) int { return cmp.Compare(a.MountPath, b.MountPath) })
	for _, m := range mounts {
		how := "rw"
		if m.ReadOnly {
			how = "ro"
		}
		if m.SubPath != "" {
			how += fmt.Sprintf(",path=%q", m.SubPath)
		}
		d.w.Print(3, "%s from %s (%s)\n", m.MountPath, m.Name, how)
	}
	if len(c.VolumeDevices) == 0 {
		return
	}
	d.w.Print(2, "Devices:%s\n", none)
	devices := slices.SortedFunc(slices.Values(c.VolumeDevices), func(a, b corev1.VolumeDevice) int { return cmp.Compare(a.DevicePath, b.DevicePath) })
	for _, v := range devices {
		d.w.Print(3, "%s from %s\n", v.DevicePath, v.Name)
	}
}

func (d podDescriber) spread(constraints []corev1.TopologySpreadConstraint) {
	if len(constraints) == 0 {
		return
	}
	sorted := slices.SortedStableFunc(slices.Values(constraints), func(a, b corev1.TopologySpreadConstraint) int { return cmp.Compare(a.TopologyKey, b.TopologyKey) })
	var entries []string
	for _, c := range sorted {
		text := fmt.Sprintf("%s:%v when max skew %d is exceeded", c.TopologyKey, c.WhenUnsatisfiable, c.MaxSkew)
		if c.LabelSelector != nil {
			text += " for selector " + metav1.FormatLabelSelector(c.LabelSelector)
		}
		entries = append(entries, text)
	}
	// The real one leads further lines in with the indent too.
	d.w.Print(0, "%sTopology Spread Constraints:\t%s\n", d.indent, strings.Join(entries, "\n"+d.indent+"\t"))
}

func (d podDescriber) tolerations(tolerations []corev1.Toleration) {
	sorted := slices.SortedStableFunc(slices.Values(tolerations), func(a, b corev1.Toleration) int { return cmp.Compare(a.Key, b.Key) })
	var entries []string
	for _, t := range sorted {
		entries = append(entries, tolerationText(&t))
	}
	d.w.List(d.indent, "Tolerations", entries)
}

func tolerationText(t *corev1.Toleration) string {
	var b strings.Builder
	b.WriteString(t.Key)
	if t.Value != "" {
		b.WriteString("=" + t.Value)
	}
	if t.Effect != "" {
		b.WriteString(":" + string(t.Effect))
	}
	if t.Operator == corev1.TolerationOpExists && t.Value == "" {
		if b.Len() > 0 {
			b.WriteString(" ")
		}
		b.WriteString("op=Exists")
	}
	if t.TolerationSeconds != nil {
		fmt.Fprintf(&b, " for %ds", *t.TolerationSeconds)
	}
	return b.String()
}

func (d podDescriber) schedulingGroup(g *corev1.PodSchedulingGroup) {
	if g == nil || g.PodGroupName == nil {
		return
	}
	d.w.Print(0, "%sSchedulingGroup:\n", d.indent)
	d.w.Field(1, "PodGroupName", *g.PodGroupName)
}
