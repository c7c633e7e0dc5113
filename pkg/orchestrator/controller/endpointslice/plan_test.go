package endpointslice

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func service() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", UID: "web-uid", Labels: map[string]string{"tier": "front"}},
		Spec: corev1.ServiceSpec{
			ClusterIP: "10.96.0.9", IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}, Selector: map[string]string{"app": "web"},
			Ports: []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromString("http")}},
		},
	}
}

func pods(from, to int, port int32, ready bool) []*corev1.Pod {
	var all []*corev1.Pod
	for i := from; i < to; i++ {
		name := fmt.Sprintf("pod-%03d", i)
		status := corev1.ConditionFalse
		if ready {
			status = corev1.ConditionTrue
		}
		all = append(all, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)},
			Spec: corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{
				Name: "c", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: port, Protocol: corev1.ProtocolTCP}},
			}}},
			Status: corev1.PodStatus{
				Phase: corev1.PodRunning, PodIP: "x", PodIPs: []corev1.PodIP{{IP: fmt.Sprintf("10.0.%d.%d", i/250, i%250+1)}},
				Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}},
			},
		})
	}
	return all
}

func node(string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{corev1.LabelTopologyZone: "z1"}}}
}

// apply does to the slices what a plan says.
func apply(existing []*discoveryv1.EndpointSlice, p plan) []*discoveryv1.EndpointSlice {
	byName := map[string]*discoveryv1.EndpointSlice{}
	for _, s := range existing {
		byName[s.Name] = s
	}
	for _, s := range p.remove {
		delete(byName, s.Name)
	}
	for _, s := range p.update {
		byName[s.Name] = s
	}
	for i, s := range p.create {
		s.Name = fmt.Sprintf("%s%d-%d", s.GenerateName, len(byName), i)
		byName[s.Name] = s
	}
	var all []*discoveryv1.EndpointSlice
	for _, s := range byName {
		all = append(all, s)
	}
	return all
}

func next(existing []*discoveryv1.EndpointSlice, s *corev1.Service, p []*corev1.Pod) plan {
	groups, _ := desired(s, p, node)
	return makePlan(s, groups, existing)
}

func TestSlicesFillUp(t *testing.T) {
	s := service()
	first := next(nil, s, pods(0, 250, 8080, true))
	if len(first.create) != 3 || len(first.create[0].Endpoints) != 100 || len(first.create[2].Endpoints) != 50 {
		t.Fatalf("250 endpoints made %d slices", len(first.create))
	}
	existing := apply(nil, first)
	if p := next(existing, s, pods(0, 250, 8080, true)); len(p.create)+len(p.update)+len(p.remove) != 0 {
		t.Errorf("nothing changed, but the plan is %+v", p)
	}
	if p := next(existing, s, pods(0, 251, 8080, true)); len(p.create) != 0 || len(p.update) != 1 || len(p.update[0].Endpoints) != 51 {
		t.Errorf("one more: %d created, %d updated", len(p.create), len(p.update))
	}
	if p := next(existing, s, pods(1, 250, 8080, true)); len(p.update) != 1 || len(p.remove) != 0 || len(p.update[0].Endpoints) != 99 {
		t.Errorf("one less: %+v", p)
	}
	if p := next(existing, s, pods(200, 250, 8080, true)); len(p.remove) != 2 || len(p.update) != 0 {
		t.Errorf("two slices less: %d removed, %d updated", len(p.remove), len(p.update))
	}
}

func TestPlaceholder(t *testing.T) {
	s := service()
	empty := next(nil, s, nil)
	if len(empty.create) != 1 || len(empty.create[0].Endpoints) != 0 || len(empty.create[0].Ports) != 0 {
		t.Fatalf("no endpoints: %+v", empty)
	}
	existing := apply(nil, empty)
	if p := next(existing, s, nil); len(p.create)+len(p.update)+len(p.remove) != 0 {
		t.Errorf("the placeholder churns: %+v", p)
	}
	if p := next(existing, s, pods(0, 1, 8080, true)); len(p.update) != 1 || len(p.create)+len(p.remove) != 0 || len(p.update[0].Ports) != 1 {
		t.Errorf("the first endpoint does not reuse the placeholder: %+v", p)
	}
}

func TestNamedPortsMakeGroups(t *testing.T) {
	p := next(nil, service(), append(pods(0, 2, 8080, true), pods(2, 5, 9090, true)...))
	if len(p.create) != 2 || *p.create[0].Ports[0].Port != 8080 || *p.create[1].Ports[0].Port != 9090 || len(p.create[1].Endpoints) != 3 {
		t.Errorf("slices: %+v", p.create)
	}
}

func TestConditionsAndLabels(t *testing.T) {
	s := service()
	leaving := pods(0, 1, 8080, true)
	leaving[0].DeletionTimestamp = new(metav1.Now())
	slice := next(nil, s, leaving).create[0]
	e := slice.Endpoints[0]
	if *e.Conditions.Ready || !*e.Conditions.Serving || !*e.Conditions.Terminating || *e.Zone != "z1" || *e.NodeName != "n1" {
		t.Errorf("endpoint %+v", e)
	}
	want := map[string]string{"tier": "front", discoveryv1.LabelServiceName: "web", discoveryv1.LabelManagedBy: managedBy}
	if fmt.Sprint(slice.Labels) != fmt.Sprint(want) {
		t.Errorf("labels %v, want %v", slice.Labels, want)
	}
	s.Spec.ClusterIP = corev1.ClusterIPNone
	if got := sliceLabels(s); got[corev1.IsHeadlessService] != "" || len(got) != 4 {
		t.Errorf("headless labels %v", got)
	}
	s.Spec.PublishNotReadyAddresses = true
	if e := next(nil, s, pods(0, 1, 8080, false)).create[0].Endpoints[0]; !*e.Conditions.Ready || *e.Conditions.Serving {
		t.Errorf("published endpoint %+v", e.Conditions)
	}
}

func TestUnknownNode(t *testing.T) {
	groups, missing := desired(service(), pods(0, 2, 8080, true), func(string) *corev1.Node { return nil })
	if len(groups) != 0 || !missing {
		t.Errorf("%d groups, missing %v", len(groups), missing)
	}
}
