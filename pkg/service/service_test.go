package service

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestAddresses(t *testing.T) {
	ports := []corev1.ServicePort{{Port: 80, NodePort: 30080, Protocol: corev1.ProtocolTCP}, {Port: 53, Protocol: corev1.ProtocolUDP}}
	for name, test := range map[string]struct {
		service corev1.Service
		https   bool
		want    []string
		err     string
	}{
		"load balancer": {
			service: corev1.Service{
				Spec:   corev1.ServiceSpec{Ports: ports},
				Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "10.64.0.1"}}}},
			},
			want: []string{"http://10.64.0.1:80"},
		},
		"node port": {service: corev1.Service{Spec: corev1.ServiceSpec{Ports: ports, ClusterIP: "10.96.0.7"}}, https: true, want: []string{"https://127.0.0.1:30080"}},
		"cluster IP": {
			service: corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 8080}}, ClusterIP: "10.96.0.7"}},
			want:    []string{"http://10.96.0.7:8080"},
		},
		"headless": {
			service: corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}, ClusterIP: "None", Type: "ClusterIP"}},
			err:     `service  has no address of its own (type ClusterIP): use "skiff port-forward service/"`,
		},
		"no TCP": {service: corev1.Service{Spec: corev1.ServiceSpec{Ports: ports[1:]}}, err: "service  has no TCP port"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := addresses(&test.service, test.https)
			if err != nil && err.Error() != test.err || err == nil && test.err != "" {
				t.Fatalf("error: got %v, want %q", err, test.err)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
