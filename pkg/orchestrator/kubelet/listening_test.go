package kubelet

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
)

// sockets are a hollow container's, as a test sets them.
type sockets struct {
	now atomic.Pointer[[]container.Socket]
}

func (s *sockets) set(list ...container.Socket) { s.now.Store(&list) }

func (s *sockets) get() []container.Socket {
	if list := s.now.Load(); list != nil {
		return *list
	}
	return nil
}

func listener(addr string) container.Socket {
	return container.Socket{Local: netip.MustParseAddrPort(addr), Listens: true}
}

func (b *bed) createService() {
	b.t.Helper()
	s := webService(corev1.ServicePort{Port: 80})
	s.Spec.ClusterIP = ""
	if _, err := b.Client().CoreV1().Services("default").Create(b.Context(), s, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
	b.k.watchServices()
	b.Wait("the agent knows the service", func() bool {
		all, known := b.k.knownServices()
		return known && len(all) > 0
	})
}

// readyAfter creates the pod and says how long after its container's start it was ready.
func (b *bed) readyAfter(pod *corev1.Pod, meanwhile func()) time.Duration {
	b.t.Helper()
	b.create(pod)
	b.until(pod.Name, "running", running)
	began := time.Now()
	meanwhile()
	b.until(pod.Name, "ready", ready)
	return time.Since(began)
}

// readyOnceItListens creates the pod, whose process listens on one port for a second and then on the one that counts.
func (b *bed) readyOnceItListens(pod *corev1.Pod, s *sockets, before []container.Socket, then container.Socket) {
	b.t.Helper()
	took := b.readyAfter(pod, func() {
		s.set(before...)
		b.Pass(time.Second)
		if ready(b.get(pod.Name)) {
			b.t.Error("the pod is ready though it does not listen on the port that counts")
		}
		s.set(then)
	})
	if took > 1200*time.Millisecond {
		b.t.Errorf("ready %s after its start, listening after 1 s", took)
	}
}

func TestReadyOnceItListens(t *testing.T) {
	var s sockets
	onBed(t, map[string]hollow.Behaviour{"app": {Sockets: s.get}}, func(b *bed) {
		b.createService()
		others := []container.Socket{listener("127.0.0.1:80"), listener("[::]:8080"), {Local: netip.MustParseAddrPort("10.244.0.2:80")}}
		b.readyOnceItListens(webPod("app"), &s, others, listener("[::]:80"))
	})
}

func TestReadyOnceItListensOnDeclaredPorts(t *testing.T) {
	var s sockets
	onBed(t, map[string]hollow.Behaviour{"app": {Sockets: s.get}}, func(b *bed) {
		pod := simplePod("cache", "app")
		pod.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 6379}, {ContainerPort: 53, Protocol: corev1.ProtocolUDP}}
		b.readyOnceItListens(pod, &s, nil, listener("0.0.0.0:6379"))
	})
}

func TestReadyThoughItNeverListens(t *testing.T) {
	var s sockets
	onBed(t, map[string]hollow.Behaviour{"app": {Sockets: s.get}}, func(b *bed) {
		b.createService()
		if took := b.readyAfter(webPod("app"), func() {}); took < listenLimit-200*time.Millisecond || took > listenLimit+200*time.Millisecond {
			t.Errorf("ready after %s, want %s", took, listenLimit)
		}
	})
}

func TestReadyAtOnce(t *testing.T) {
	var s sockets
	for _, c := range []struct {
		name   string
		app    hollow.Behaviour
		change func(*corev1.Pod)
	}{
		{"no port is declared and no service selects it", hollow.Behaviour{Sockets: s.get}, func(p *corev1.Pod) { p.Labels = nil }},
		{"nobody can tell", hollow.Behaviour{}, func(*corev1.Pod) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBed(t, map[string]hollow.Behaviour{"app": c.app}, func(b *bed) {
				b.createService()
				pod := webPod("app")
				c.change(pod)
				if took := b.readyAfter(pod, func() {}); took > 100*time.Millisecond {
					t.Errorf("ready after %s", took)
				}
			})
		})
	}
}
