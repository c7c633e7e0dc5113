package kubelet

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func TestExpand(t *testing.T) {
	vars := map[string]string{"A": "1", "B": "$(A)"}
	for in, want := range map[string]string{
		"plain": "plain", "$(A)": "1", "x$(A)y$(A)": "x1y1", "$$(A)": "$(A)", "$(MISSING)": "$(MISSING)", "$(B)": "$(A)",
		"$(A": "$(A", "$": "$", "$x": "$x", "$$": "$", "$$$(A)": "$1",
	} {
		if got := expand(in, func(n string) (string, bool) { v, ok := vars[n]; return v, ok }); got != want {
			t.Errorf("expand(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestServiceEnvironment(t *testing.T) {
	service := func(namespace, name, ip string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			Spec: corev1.ServiceSpec{ClusterIP: ip, Ports: []corev1.ServicePort{{Name: "web-x", Port: 80, Protocol: "TCP"}, {Name: "dns", Port: 53, Protocol: "UDP"}}}}
	}
	all := []*corev1.Service{service("default", "kubernetes", "10.96.0.1"), service("ns", "my-svc", "10.96.0.2"), service("other", "far", "10.96.0.3"), service("ns", "headless", "None")}
	no := false
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns"}}
	got := serviceEnvironment(visibleServices(all, pod))
	for name, want := range map[string]string{
		"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "80", "MY_SVC_SERVICE_HOST": "10.96.0.2", "MY_SVC_SERVICE_PORT_WEB_X": "80",
		"MY_SVC_PORT": "tcp://10.96.0.2:80", "MY_SVC_PORT_53_UDP": "udp://10.96.0.2:53", "MY_SVC_PORT_53_UDP_PROTO": "udp", "MY_SVC_PORT_80_TCP_ADDR": "10.96.0.2", "MY_SVC_PORT_80_TCP_PORT": "80",
		"FAR_SERVICE_HOST": "", "HEADLESS_SERVICE_HOST": "",
	} {
		if got[name] != want {
			t.Errorf("%s=%q, want %q", name, got[name], want)
		}
	}
	pod.Spec.EnableServiceLinks = &no
	got = serviceEnvironment(visibleServices(all, pod))
	if got["KUBERNETES_SERVICE_HOST"] == "" || got["MY_SVC_SERVICE_HOST"] != "" {
		t.Errorf("without service links: %v", got)
	}
}

func TestCommand(t *testing.T) {
	image := container.ImageConfig{Entrypoint: []string{"/entry"}, Cmd: []string{"default"}}
	env := &environment{values: map[string]string{"PORT": "80"}}
	for _, tt := range []struct{ command, args, want string }{
		{"", "", "/entry default"}, {"", "-p $(PORT)", "/entry -p 80"}, {"run", "", "run"}, {"run", "x", "run x"},
	} {
		c := &corev1.Container{Command: strings.Fields(tt.command), Args: strings.Fields(tt.args)}
		if got := strings.Join(command(c, image, env), " "); got != tt.want {
			t.Errorf("command %q args %q: got %q, want %q", tt.command, tt.args, got, tt.want)
		}
	}
}

func TestEnvironmentOfAContainer(t *testing.T) {
	yes := true
	onBed(t, nil, func(b *bed) {
		b.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: "default"}, Data: map[string]string{"LEVEL": "debug", "other": "x"}},
			&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys", Namespace: "default"}, Data: map[string][]byte{"token": []byte("t0p")}})
		pod := simplePod("web", "app")
		pod.Labels = map[string]string{"tier": "front"}
		c := &pod.Spec.Containers[0]
		c.Args = []string{"--greet=$(GREETING)", "$$(LITERAL)"}
		c.EnvFrom = []corev1.EnvFromSource{{Prefix: "CFG_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}
		field := func(path string) *corev1.EnvVarSource {
			return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path}}
		}
		c.Env = []corev1.EnvVar{
			{Name: "WHO", Value: "world"}, {Name: "GREETING", Value: "hello $(WHO) $(CFG_LEVEL)"},
			{Name: "NAME", ValueFrom: field("metadata.name")}, {Name: "TIER", ValueFrom: field("metadata.labels['tier']")},
			{Name: "IP", ValueFrom: field("status.podIP")}, {Name: "HOST_IP", ValueFrom: field("status.hostIP")},
			{Name: "KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "keys"}, Key: "token"}}},
			{Name: "ABSENT", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "none"}, Key: "k", Optional: &yes}}},
			{Name: "CPUS", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}},
		}
		b.create(pod)
		b.until("web", "ready", ready)
		sandboxes, _ := b.runtime.Sandboxes(b.Context())
		config := sandboxes[0].Containers[0].Config
		env := "\n" + strings.Join(config.Env, "\n") + "\n"
		for _, want := range []string{"GREETING=hello world debug", "CFG_LEVEL=debug", "CFG_other=x", "NAME=web", "TIER=front", "IP=10.244.0.2", "HOST_IP=192.168.0.2",
			"KEY=t0p", "HOSTNAME=web", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "KUBERNETES_SERVICE_PORT_HTTPS=443"} {
			if !strings.Contains(env, "\n"+want+"\n") {
				t.Errorf("no %s in the environment %s", want, env)
			}
		}
		if strings.Contains(env, "ABSENT") {
			t.Errorf("an optional key that is missing is set: %s", env)
		}
		if got := strings.Join(config.Args, " "); got != "run --greet=hello world debug $(LITERAL)" {
			t.Errorf("args %q", got)
		}
	})
}

func TestMissingConfigMapArrives(t *testing.T) {
	onBed(t, nil, func(b *bed) {
		pod := simplePod("web", "app")
		pod.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "late"}}}}
		b.create(pod)
		p := b.until("web", "refused", func(p *corev1.Pod) bool {
			s := p.Status.ContainerStatuses
			return len(s) > 0 && s[0].State.Waiting != nil && s[0].State.Waiting.Reason == "CreateContainerConfigError"
		})
		if got := p.Status.ContainerStatuses[0].State.Waiting.Message; got != `configmap "late" not found` {
			t.Errorf("message %q", got)
		}
		b.wantEvent("web", `Warning Failed Error: configmap "late" not found`)
		b.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "late", Namespace: "default"}})
		b.until("web", "ready", ready)
	})
}
