package apiserver

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestSplitProxyName(t *testing.T) {
	for id, want := range map[string][3]string{
		"web": {"", "web", ""}, "web:80": {"", "web", "80"}, "https:web:http": {"https", "web", "http"}, "http:web:": {"http", "web", ""},
	} {
		scheme, name, port := splitProxyName(id)
		if got := [3]string{scheme, name, port}; got != want {
			t.Errorf("%s: got %v, want %v", id, got, want)
		}
	}
}

func TestProxyable(t *testing.T) {
	for ip, want := range map[string]bool{
		"10.244.0.7": true, "fd00::1": true, "": false, "127.0.0.1": false, "::1": false, "169.254.169.254": false, "0.0.0.0": false, "x": false,
	} {
		if got := proxyable(ip); got != want {
			t.Errorf("%q: got %v, want %v", ip, got, want)
		}
	}
}

func TestServicePort(t *testing.T) {
	svc := &corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.5", Ports: []corev1.ServicePort{{Name: "http", Port: 80}, {Name: "admin", Port: 8080}}}}
	for want, port := range map[string]int32{"http": 80, "8080": 8080, "admin": 8080} {
		if got, err := servicePort(svc, want); got != port || err != nil {
			t.Errorf("%s: %d, %v", want, got, err)
		}
	}
	if _, err := servicePort(svc, ""); err == nil {
		t.Error("one of two ports was chosen without a name")
	}
	svc.Spec.ClusterIP = corev1.ClusterIPNone
	if _, err := servicePort(svc, "http"); err == nil {
		t.Error("a headless service has an address")
	}
}
