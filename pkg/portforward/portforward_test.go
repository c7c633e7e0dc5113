package portforward

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubeskiff/skiff/pkg/api/core"
)

func TestTranslate(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Ports: []corev1.ContainerPort{
		{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}, {Name: "dns", ContainerPort: 53, Protocol: corev1.ProtocolUDP},
	}}}}}
	pod.Name = "p"
	service := &corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: "10.0.0.1", Ports: []corev1.ServicePort{
		{Name: "web", Port: 80, TargetPort: intstr.FromString("http"), Protocol: corev1.ProtocolTCP},
		{Name: "num", Port: 443, TargetPort: intstr.FromInt32(8443), Protocol: corev1.ProtocolTCP},
		{Name: "same", Port: 9000, Protocol: corev1.ProtocolTCP},
		{Name: "udp", Port: 53, Protocol: corev1.ProtocolUDP},
		{Name: "bad", Port: 81, TargetPort: intstr.FromString("none"), Protocol: corev1.ProtocolTCP},
	}}}
	service.Name = "s"
	headless := service.DeepCopy()
	headless.Spec.ClusterIP = corev1.ClusterIPNone
	ofPod := func(port string) (int32, int32, error) { return core.Pod.ForwardPort(pod, pod, port) }
	of := func(s *corev1.Service) lookupFunc {
		return func(port string) (int32, int32, error) { return core.Service.ForwardPort(s, pod, port) }
	}
	for _, tt := range []struct {
		lookup     lookupFunc
		port, want string
		err        string
	}{
		{ofPod, "80", "80", ""},
		{ofPod, "1234:80", "1234:80", ""},
		{ofPod, ":80", ":80", ""},
		{ofPod, "http", "8080", ""},
		{ofPod, "80:http", "80:8080", ""},
		{ofPod, "80:", "", "remote port cannot be empty"},
		{ofPod, "nope", "", "Pod 'p' does not have a named port 'nope'"},
		{ofPod, "53", "", "UDP protocol is not supported for 53"},
		{ofPod, "dns", "", "UDP protocol is not supported for dns"},
		{of(service), "80", "80:8080", ""},
		{of(service), "8080:80", "8080", ""},
		{of(service), "web", "80:8080", ""},
		{of(service), ":web", ":8080", ""},
		{of(service), "443", "443:8443", ""},
		{of(service), "9000", "9000", ""},
		{of(service), "53", "", "UDP protocol is not supported for 53"},
		{of(service), "82", "", "Service s does not have a service port 82"},
		{of(service), "nope", "", "Service 's' does not have a named port 'nope'"},
		{of(service), "81", "", "Pod 'p' does not have a named port 'none'"},
		{of(headless), "80", "80", ""},
	} {
		got, err := translate([]string{tt.port}, tt.lookup)
		switch {
		case tt.err != "":
			if err == nil || err.Error() != tt.err {
				t.Errorf("%s: error %v, want %s", tt.port, err, tt.err)
			}
		case err != nil || !slices.Equal(got, []string{tt.want}):
			t.Errorf("%s: got %q, %v; want %s", tt.port, got, err, tt.want)
		}
	}
}
