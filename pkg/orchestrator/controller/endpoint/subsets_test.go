package endpoint

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func pod(i int, ready corev1.ConditionStatus) *corev1.Pod {
	name := fmt.Sprintf("p%d", i)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)},
		Spec:       corev1.PodSpec{NodeName: "n1"},
		Status: corev1.PodStatus{
			PodIP: "set", PodIPs: []corev1.PodIP{{IP: fmt.Sprintf("10.0.%d.%d", i/250, i%250)}},
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}},
		},
	}
}

func TestDesired(t *testing.T) {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.1", Ports: []corev1.ServicePort{
			{Name: "a", TargetPort: intstr.FromInt32(1), Protocol: corev1.ProtocolTCP}, {Name: "b", TargetPort: intstr.FromInt32(2), Protocol: corev1.ProtocolTCP},
		}},
	}
	pods := []*corev1.Pod{pod(2, corev1.ConditionTrue), pod(1, corev1.ConditionTrue), pod(3, corev1.ConditionFalse)}
	got := desired(s, pods, nil)
	if len(got.Subsets) != 1 || len(got.Subsets[0].Ports) != 2 || len(got.Subsets[0].NotReadyAddresses) != 1 {
		t.Fatalf("subsets %+v", got.Subsets)
	}
	if a := got.Subsets[0].Addresses; len(a) != 2 || a[0].IP != "10.0.0.1" || a[1].IP != "10.0.0.2" {
		t.Errorf("addresses %+v", a)
	}
	if !same(got, desired(s, pods, got)) {
		t.Error("the same pods give another object")
	}
}

func TestTruncate(t *testing.T) {
	s := &corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.1", Ports: []corev1.ServicePort{{TargetPort: intstr.FromInt32(1)}}}}
	var pods []*corev1.Pod
	for i := range 1200 {
		ready := corev1.ConditionTrue
		if i%2 == 0 {
			ready = corev1.ConditionFalse
		}
		pods = append(pods, pod(i, ready))
	}
	got := desired(s, pods, nil)
	if len(got.Subsets[0].Addresses) != 600 || len(got.Subsets[0].NotReadyAddresses) != 400 || got.Annotations[corev1.EndpointsOverCapacity] != truncated {
		t.Errorf("%d ready, %d not, %v", len(got.Subsets[0].Addresses), len(got.Subsets[0].NotReadyAddresses), got.Annotations)
	}
}
