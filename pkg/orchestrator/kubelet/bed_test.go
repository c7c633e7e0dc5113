package kubelet

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
)

// bed is a cluster of one hollow node in a bubble.
type bed struct {
	*clustertest.Cluster
	t       *testing.T
	k       *Kubelet
	runtime *hollow.Runtime
	config  Config
	stop    func()
}

// onBed runs f in a bubble with a node whose containers behave as said, by name.
func onBed(t *testing.T, behaviour map[string]hollow.Behaviour, f func(b *bed)) {
	t.Helper()
	withHollow(t, hollow.Config{Behave: func(c container.ContainerConfig) hollow.Behaviour { return behaviour[c.Name] }}, f)
}

func withHollow(t *testing.T, hc hollow.Config, f func(b *bed)) {
	t.Helper()
	dir := t.TempDir()
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		b := &bed{Cluster: c, t: t, runtime: hollow.New(hc)}
		b.config = Config{
			NodeName: "node-1", Client: c.Client(), Runtime: b.runtime, Images: b.runtime.Images(), Dir: dir,
			NodeIPs: []string{"192.168.0.2"}, PodCIDR: "10.244.0.0/24", ClusterDNS: []string{"10.96.0.10"},
		}
		b.start()
		defer func() { b.stop() }()
		f(b)
	})
}

// start runs an agent; stop ends it and leaves the containers.
func (b *bed) start() {
	b.t.Helper()
	k, err := New(b.config)
	if err != nil {
		b.t.Fatal(err)
	}
	k.volumes = newVolumesForTest(k)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := k.Run(ctx); err != nil && ctx.Err() == nil {
			b.t.Errorf("run agent: %v", err)
		}
	}()
	b.k = k
	b.stop = func() { cancel(); <-done }
	synctest.Wait() // a node that was there before does not say that the new agent is at work
	b.Wait("the node is registered", func() bool {
		_, err := b.Client().CoreV1().Nodes().Get(b.Context(), "node-1", metav1.GetOptions{})
		return err == nil
	})
}

// simplePod is a pod of the given containers, bound to the node.
func simplePod(name string, containers ...string) *corev1.Pod {
	grace := int64(30)
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"},
		Spec: corev1.PodSpec{NodeName: "node-1", TerminationGracePeriodSeconds: &grace}}
	for _, c := range containers {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: c, Image: "registry/" + c + ":1", ImagePullPolicy: corev1.PullIfNotPresent, Command: []string{"run"}})
	}
	return p
}

func (b *bed) create(p *corev1.Pod) *corev1.Pod {
	b.t.Helper()
	got, err := b.Client().CoreV1().Pods(p.Namespace).Create(b.Context(), p, metav1.CreateOptions{})
	if err != nil {
		b.t.Fatalf("create pod: %v", err)
	}
	return got
}

func (b *bed) get(name string) *corev1.Pod {
	b.t.Helper()
	p, err := b.Client().CoreV1().Pods("default").Get(b.Context(), name, metav1.GetOptions{})
	if err != nil {
		b.t.Fatalf("get pod: %v", err)
	}
	return p
}

// until waits for a condition of a pod and gives the pod.
func (b *bed) until(name, what string, holds func(p *corev1.Pod) bool) *corev1.Pod {
	b.t.Helper()
	var p *corev1.Pod
	b.Wait(what, func() bool { p = b.get(name); return holds(p) })
	return p
}

func (b *bed) gone(name string) {
	b.t.Helper()
	b.Wait("pod "+name+" is gone", func() bool {
		_, err := b.Client().CoreV1().Pods("default").Get(b.Context(), name, metav1.GetOptions{})
		return err != nil
	})
}

// eventsOf lists "Type Reason Message" of a pod's events, in order.
func (b *bed) eventsOf(name string) []string {
	b.t.Helper()
	b.Pass(time.Second)
	list, err := b.Client().CoreV1().Events("default").List(b.Context(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, e := range list.Items {
		if e.InvolvedObject.Name == name {
			out = append(out, e.Type+" "+e.Reason+" "+e.Message)
		}
	}
	return out
}

func (b *bed) wantEvent(pod, want string) {
	b.t.Helper()
	got := b.eventsOf(pod)
	for _, e := range got {
		if strings.Contains(e, want) {
			return
		}
	}
	b.t.Errorf("no event %q among:\n%s", want, strings.Join(got, "\n"))
}

func condition(p *corev1.Pod, t corev1.PodConditionType) corev1.PodCondition {
	for _, c := range p.Status.Conditions {
		if c.Type == t {
			return c
		}
	}
	return corev1.PodCondition{}
}

func ready(p *corev1.Pod) bool { return condition(p, corev1.PodReady).Status == corev1.ConditionTrue }

func running(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning }

// serve answers one request to the agent's API.
func (b *bed) serve(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.k.Handler().ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), "GET", path, nil))
	return w
}
