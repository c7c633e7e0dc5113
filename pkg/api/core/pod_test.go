package core

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestPullPolicy(t *testing.T) {
	for image, want := range map[string]corev1.PullPolicy{
		"redis": corev1.PullAlways, "redis:latest": corev1.PullAlways, "redis:5": corev1.PullIfNotPresent,
		"host:5000/a": corev1.PullAlways, "host:5000/a:1": corev1.PullIfNotPresent, "a@sha256:0123456789abcdef0123456789abcdef": corev1.PullIfNotPresent,
		"a:latest@sha256:0123456789abcdef0123456789abcdef": corev1.PullAlways, "": corev1.PullIfNotPresent, "Up": corev1.PullIfNotPresent, "a b": corev1.PullIfNotPresent,
		"gcr.io/google-samples/node-hello": corev1.PullAlways, "a/": corev1.PullIfNotPresent,
	} {
		if got := pullPolicy(image); got != want {
			t.Errorf("%q: got %s, want %s", image, got, want)
		}
	}
}

func TestGracefulPodDelete(t *testing.T) {
	for name, tt := range map[string]struct {
		pod  corev1.Pod
		opts metav1.DeleteOptions
		want int64
	}{
		"asked":       {pod: corev1.Pod{Spec: corev1.PodSpec{NodeName: "n"}}, opts: metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](5)}, want: 5},
		"its own":     {pod: corev1.Pod{Spec: corev1.PodSpec{NodeName: "n", TerminationGracePeriodSeconds: ptr.To[int64](30)}}, want: 30},
		"negative":    {pod: corev1.Pod{Spec: corev1.PodSpec{NodeName: "n", TerminationGracePeriodSeconds: ptr.To[int64](-3)}}, want: 1},
		"unscheduled": {pod: corev1.Pod{Spec: corev1.PodSpec{TerminationGracePeriodSeconds: ptr.To[int64](30)}}},
		"finished":    {pod: corev1.Pod{Spec: corev1.PodSpec{NodeName: "n", TerminationGracePeriodSeconds: ptr.To[int64](30)}, Status: corev1.PodStatus{Phase: corev1.PodFailed}}},
	} {
		if got := Pod.GracefulDelete(&tt.pod, &tt.opts); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}

func TestBinding(t *testing.T) {
	set := Pod.Subresources["binding"].Set
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "1", Labels: map[string]string{"a": "b"}}, Status: corev1.PodStatus{NominatedNodeName: "m"}}
	b := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "1", Labels: map[string]string{"zone": "z"}}, Target: corev1.ObjectReference{Kind: "Node", Name: "n"}}
	if err := set(p, b); err != nil {
		t.Fatal(err)
	}
	if p.Spec.NodeName != "n" || p.Labels["zone"] != "z" || p.Status.NominatedNodeName != "" || !conditionTrue(p, corev1.PodScheduled) {
		t.Errorf("bound pod %+v", p)
	}
	for name, tt := range map[string]struct {
		change func(*corev1.Pod, *corev1.Binding)
		want   string
	}{
		"bound":    {func(p *corev1.Pod, _ *corev1.Binding) { p.Spec.NodeName = "x" }, `Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "x"`},
		"deleted":  {func(p *corev1.Pod, _ *corev1.Binding) { p.DeletionTimestamp = ptr.To(metav1.Now()) }, "pod p is being deleted, cannot be assigned to a host"},
		"gated":    {func(p *corev1.Pod, _ *corev1.Binding) { p.Spec.SchedulingGates = make([]corev1.PodSchedulingGate, 1) }, "non-empty .spec.schedulingGates"},
		"other":    {func(_ *corev1.Pod, b *corev1.Binding) { b.UID = "2" }, "Precondition failed: UID in precondition: 2"},
		"name":     {func(_ *corev1.Pod, b *corev1.Binding) { b.Name = "q" }, "name in URL does not match name in Binding object"},
		"no node":  {func(_ *corev1.Pod, b *corev1.Binding) { b.Target.Name = "" }, "target.name: Required value"},
		"bad kind": {func(_ *corev1.Pod, b *corev1.Binding) { b.Target.Kind = "Pod" }, `target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"`},
	} {
		p, b := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "1"}}, b.DeepCopy()
		tt.change(p, b)
		err := set(p, b)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
		if name == "bound" && !apierrors.IsConflict(err) {
			t.Errorf("%v is not a conflict", err)
		}
	}
}

func TestPodQOS(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		l := corev1.ResourceList{}
		if cpu != "" {
			l["cpu"] = resource.MustParse(cpu)
		}
		if memory != "" {
			l["memory"] = resource.MustParse(memory)
		}
		return l
	}
	with := func(requests, limits corev1.ResourceList) corev1.Container {
		return corev1.Container{Resources: corev1.ResourceRequirements{Requests: requests, Limits: limits}}
	}
	for name, tt := range map[string]struct {
		containers []corev1.Container
		pod        *corev1.ResourceRequirements
		want       corev1.PodQOSClass
	}{
		"nothing":      {[]corev1.Container{{}}, nil, corev1.PodQOSBestEffort},
		"all alike":    {[]corev1.Container{with(list("1", "1Gi"), list("1", "1Gi"))}, nil, corev1.PodQOSGuaranteed},
		"cpu alone":    {[]corev1.Container{with(list("1", ""), list("1", ""))}, nil, corev1.PodQOSBurstable},
		"more allowed": {[]corev1.Container{with(list("1", "1Gi"), list("2", "1Gi"))}, nil, corev1.PodQOSBurstable},
		"one without":  {[]corev1.Container{with(list("1", "1Gi"), list("1", "1Gi")), {}}, nil, corev1.PodQOSBurstable},
		"of the pod":   {[]corev1.Container{{}}, &corev1.ResourceRequirements{Requests: list("1", "1Gi"), Limits: list("1", "1Gi")}, corev1.PodQOSGuaranteed},
	} {
		if got := PodQOS(&corev1.Pod{Spec: corev1.PodSpec{Containers: tt.containers, Resources: tt.pod}}); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}
