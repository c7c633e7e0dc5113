package apiserver

import (
	"fmt"
	"math/rand/v2"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/core"
)

func shapePod(change func(p *corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"x": "1", "y": "2"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "c", Image: "i", Ports: []corev1.ContainerPort{{ContainerPort: 80, Protocol: "TCP"}},
			Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": quantity.MustParse("1")}},
		}}},
	}
	if change != nil {
		change(p)
	}
	return p
}

func TestShape(t *testing.T) {
	base, _ := shape(shapePod(nil))
	for name, tt := range map[string]struct {
		change func(p *corev1.Pod)
		same   bool
	}{
		"another name":        {func(p *corev1.Pod) { p.Name = "b" }, true},
		"another label value": {func(p *corev1.Pod) { p.Labels["x"] = "9" }, true},
		"another limit": {func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Limits["cpu"] = quantity.MustParse("2")
		}, true},
		"another label":     {func(p *corev1.Pod) { p.Labels["z"] = "1" }, false},
		"a label less":      {func(p *corev1.Pod) { delete(p.Labels, "x") }, false},
		"another container": {func(p *corev1.Pod) { p.Spec.Containers[0].Name = "d" }, false},
		"another port":      {func(p *corev1.Pod) { p.Spec.Containers[0].Ports[0].ContainerPort = 81 }, false},
		"one more port": {func(p *corev1.Pod) {
			p.Spec.Containers[0].Ports = append(p.Spec.Containers[0].Ports, corev1.ContainerPort{ContainerPort: 81})
		}, false},
		"a field more": {func(p *corev1.Pod) { p.Spec.NodeName = "n" }, false},
	} {
		got, ok := shape(shapePod(tt.change))
		if !ok || (got == base) != tt.same {
			t.Errorf("%s: same shape %v, want %v", name, got == base, tt.same)
		}
	}
	if _, ok := shape(&appsv1.ControllerRevision{Data: runtime.RawExtension{Raw: []byte("{}")}}); ok {
		t.Error("an object with free-form content has a shape")
	}
}

// TestShapeNeverLies compares what the cache gives with what the field manager says, over random pods of few shapes.
func TestShapeNeverLies(t *testing.T) {
	all, err := newRegistry([]*api.Kind{core.Pod})
	if err != nil {
		t.Fatal(err)
	}
	pods := all.ordered[0]
	q := &request{res: pods}
	for i := range 300 {
		r := rand.New(rand.NewPCG(uint64(i%40), uint64(i/200)))
		random := func() *corev1.Pod {
			return shapePod(func(p *corev1.Pod) {
				p.Name = fmt.Sprint("p", i)
				for j := range r.IntN(3) {
					p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: fmt.Sprint("v", j+r.IntN(2))})
				}
				if r.IntN(2) == 0 {
					p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: fmt.Sprint("E", r.IntN(3)), Value: "1"}}
				}
				if r.IntN(2) == 0 {
					p.Spec.Tolerations = []corev1.Toleration{{Key: "k", Operator: "Exists"}}
				}
				core.Pod.Default(p)
			})
		}
		one := random()
		want, err := q.manage(one.DeepCopyObject().(api.Object), nil, "m")
		if err != nil {
			t.Fatal(err)
		}
		got, err := q.manageNew(one, "m")
		if err != nil {
			t.Fatal(err)
		}
		if g, w := got.GetManagedFields()[0].FieldsV1, want.GetManagedFields()[0].FieldsV1; !g.Equal(*w) {
			t.Fatalf("pod %d:\n got %s\nwant %s", i, g, w)
		}
	}
	if n := len(pods.managers.shapes.seen); n > 100 {
		t.Errorf("%d shapes of 80 possible", n)
	}
}
