package kubelet

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// webService selects the pods labelled app=web.
func webService(ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"},
		Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.9", Selector: map[string]string{"app": "web"}, Ports: ports}}
}

func webPod(containers ...string) *corev1.Pod {
	p := simplePod("web", containers...)
	p.Labels = map[string]string{"app": "web"}
	return p
}

func TestFronts(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*corev1.Service)
		want   bool
	}{
		{"selects it", func(*corev1.Service) {}, true},
		{"selects others", func(s *corev1.Service) { s.Spec.Selector["tier"] = "front" }, false},
		{"without a selector", func(s *corev1.Service) { s.Spec.Selector = nil }, false},
		{"in another namespace", func(s *corev1.Service) { s.Namespace = "other" }, false},
		{"headless", func(s *corev1.Service) { s.Spec.ClusterIP = corev1.ClusterIPNone }, false},
		{"external name", func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }, false},
		{"another proxy's", func(s *corev1.Service) { s.Labels = map[string]string{"service.kubernetes.io/service-proxy-name": "x"} }, false},
	} {
		s := webService()
		c.change(s)
		if got := fronts(s, webPod("app")); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
}

func TestServedPorts(t *testing.T) {
	pod := webPod("app", "side")
	pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: "dns", ContainerPort: 53, Protocol: corev1.ProtocolUDP}}
	s := webService(
		corev1.ServicePort{Port: 80, TargetPort: intstr.FromString("http")},
		corev1.ServicePort{Port: 81, TargetPort: intstr.FromInt32(8080)},
		corev1.ServicePort{Port: 82, TargetPort: intstr.FromString("nowhere")},
		corev1.ServicePort{Port: 83, TargetPort: intstr.FromString("dns")},
		corev1.ServicePort{Port: 53, Protocol: corev1.ProtocolUDP},
		corev1.ServicePort{Port: 9000},
	)
	for i, want := range []string{"[8080 9000]", "[9000]"} {
		if got := fmt.Sprint(servedPorts([]*corev1.Service{s}, pod, &pod.Spec.Containers[i])); got != want {
			t.Errorf("%s: got %s, want %s", pod.Spec.Containers[i].Name, got, want)
		}
	}
}
