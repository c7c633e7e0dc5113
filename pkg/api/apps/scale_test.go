package apps

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestScale(t *testing.T) {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default", UID: "1", ResourceVersion: "7"}}
	d.Spec.Replicas, d.Status.Replicas = ptr.To[int32](3), 2
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	sub := Deployment.Subresources["scale"]
	view, err := sub.Get(d)
	if err != nil {
		t.Fatal(err)
	}
	s := view.(*autoscalingv1.Scale)
	if s.Name != "web" || s.ResourceVersion != "7" || s.Spec.Replicas != 3 || s.Status.Replicas != 2 || s.Status.Selector != "app=web" || s.Kind != "Scale" {
		t.Errorf("scale %+v", s)
	}
	s.Spec.Replicas = 0
	if err := sub.Set(d, s); err != nil || *d.Spec.Replicas != 0 {
		t.Errorf("set: %v, %d replicas", err, *d.Spec.Replicas)
	}
	s.Spec.Replicas = -1
	want := `Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0`
	if err := sub.Set(d, s); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	r := &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Selector: d.Spec.Selector}}
	if err := ReplicaSet.Subresources["scale"].Set(r, &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 4}}); err != nil || *r.Spec.Replicas != 4 {
		t.Errorf("set: %v", err)
	}
}
