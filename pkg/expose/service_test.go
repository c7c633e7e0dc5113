package expose

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/api"
)

func TestPorts(t *testing.T) {
	one := []api.ExposedPort{{Number: 80, Protocol: "TCP"}}
	two := []api.ExposedPort{{Number: 80, Protocol: "TCP"}, {Number: 53, Protocol: "UDP"}}
	both := []api.ExposedPort{{Number: 53, Protocol: "UDP"}, {Number: 53, Protocol: "TCP"}}
	for _, tt := range []struct {
		s    settings
		have []api.ExposedPort
		want string
	}{
		{settings{}, one, "80/TCP>80"},
		{settings{port: "81"}, one, "81/TCP>81"},
		{settings{port: "81", targetPort: "http"}, one, "81/TCP>http"},
		{settings{}, two, "port-1 80/TCP>80, port-2 53/UDP>53"},
		{settings{protocol: "SCTP"}, two, "port-1 80/SCTP>80, port-2 53/SCTP>53"},
		{settings{port: "53"}, both, "port-1-udp 53/UDP>53, port-1-tcp 53/TCP>53"},
		{settings{port: "1,2", targetPort: "8080"}, nil, "port-1 1/TCP>8080, port-2 2/TCP>8080"},
	} {
		ports, err := tt.s.ports(tt.have)
		if err != nil {
			t.Errorf("%+v: %v", tt.s, err)
		}
		var got []string
		for _, p := range ports {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %d/%s>%s", p.Name, p.Port, p.Protocol, p.TargetPort.String())))
		}
		if text := strings.Join(got, ", "); text != tt.want {
			t.Errorf("%+v: %s, want %s", tt.s, text, tt.want)
		}
	}
}

func TestService(t *testing.T) {
	e := api.Exposure{Selector: map[string]string{"app": "web"}, Ports: []api.ExposedPort{{Number: 80, Protocol: "TCP"}}}
	s := settings{name: "x", typ: "LoadBalancer", loadBalancerIP: "1.2.3.4", externalIP: "5.6.7.8", sessionAffinity: "ClientIP", labels: "a=b"}
	got, err := s.service("web", e, map[string]string{"old": "label"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "x" || got.Spec.Type != corev1.ServiceTypeLoadBalancer || got.Spec.LoadBalancerIP != "1.2.3.4" || got.Spec.ExternalIPs[0] != "5.6.7.8" ||
		got.Spec.SessionAffinity != corev1.ServiceAffinityClientIP || got.Labels["a"] != "b" || got.Spec.Selector["app"] != "web" {
		t.Errorf("got %+v", got)
	}
	for want, s := range map[string]settings{
		"unknown session affinity: x":               {sessionAffinity: "x"},
		"unexpected label spec: b":                  {selector: "a=b,b"},
		"unexpected empty label key":                {labels: "=b"},
		`strconv.Atoi: parsing "a": invalid syntax`: {port: "a"},
	} {
		if _, err := s.service("web", e, nil); err == nil || err.Error() != want {
			t.Errorf("%+v: %v, want %s", s, err, want)
		}
	}
	if _, err := (&settings{}).service("web", api.Exposure{Selector: e.Selector}, nil); err == nil {
		t.Error("a service needs a port")
	}
	if _, err := (&settings{clusterIP: "None"}).service("web", api.Exposure{Selector: e.Selector}, nil); err != nil {
		t.Errorf("a headless one needs none: %v", err)
	}
	if _, err := (&settings{port: "1"}).service("web", api.Exposure{}, nil); err == nil || err.Error() != "selector must be specified" {
		t.Errorf("error: %v", err)
	}
}
