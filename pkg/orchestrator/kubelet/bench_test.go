package kubelet

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
)

// BenchmarkHollowNodes brings up 30 pods on each of 100 weightless nodes and says what that takes, server and all.
func BenchmarkHollowNodes(b *testing.B) {
	const nodes, pods = 100, 30
	for b.Loop() {
		c := clustertest.New(b)
		ctx, cancel := context.WithCancel(b.Context())
		var running sync.WaitGroup
		for n := range nodes {
			r := hollow.New(hollow.Config{PodRange: netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/24", n))})
			k, err := New(Config{NodeName: fmt.Sprintf("node-%d", n), Client: c.Client(), Runtime: r, Images: r.Images(), Weightless: true, NodeIPs: []string{"192.168.0.1"}})
			if err != nil {
				b.Fatal(err)
			}
			running.Go(func() { k.Run(ctx) })
		}
		w, err := c.Client().CoreV1().Pods("default").Watch(ctx, metav1.ListOptions{})
		if err != nil {
			b.Fatal(err)
		}
		all := make(chan struct{})
		go func() {
			defer close(all)
			waitAllReady(b, w, nodes*pods)
		}()
		began := time.Now()
		var creators sync.WaitGroup
		for worker := range 8 {
			creators.Go(func() {
				for i := worker; i < nodes*pods; i += 8 {
					p := simplePod(fmt.Sprintf("pod-%d", i), "app")
					p.Spec.NodeName = fmt.Sprintf("node-%d", i%nodes)
					if _, err := c.Client().CoreV1().Pods("default").Create(ctx, p, metav1.CreateOptions{}); err != nil {
						b.Error(err)
					}
				}
			})
		}
		creators.Wait()
		created := time.Since(began)
		<-all
		b.ReportMetric(created.Seconds(), "s/created")
		b.ReportMetric(time.Since(began).Seconds(), "s/ready")
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc+m.StackInuse)/(1<<20), "MiB")
		b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines")
		cancel()
		running.Wait()
	}
}

func waitAllReady(b *testing.B, w watch.Interface, n int) {
	b.Helper()
	done := map[string]bool{}
	for e := range w.ResultChan() {
		if p, ok := e.Object.(*corev1.Pod); ok && ready(p) {
			done[p.Name] = true
		}
		if len(done) == n {
			w.Stop()
			return
		}
	}
	b.Errorf("the watch ended with %d of %d pods ready", len(done), n)
}

// BenchmarkStart is one pod after another on one node with all its files: from the create to Running.
func BenchmarkStart(b *testing.B) {
	c := clustertest.New(b)
	r := hollow.New(hollow.Config{PodRange: netip.MustParsePrefix("10.0.0.0/8")})
	k, err := New(Config{NodeName: "node-1", Client: c.Client(), Runtime: r, Images: r.Images(), Dir: b.TempDir(), NodeIPs: []string{"192.168.0.1"}})
	if err != nil {
		b.Fatal(err)
	}
	k.volumes = newVolumesForTest(k)
	ctx, cancel := context.WithCancel(b.Context())
	var done sync.WaitGroup
	done.Go(func() { k.Run(ctx) })
	defer done.Wait()
	defer cancel()
	c.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "cm", Namespace: "default"}, Data: map[string]string{"a": "b"}})
	i := 0
	for b.Loop() {
		i++
		p := simplePod(fmt.Sprintf("pod-%d", i), "app")
		p.Spec.Volumes = []corev1.Volume{{Name: "cm", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}}}}
		p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "cm", MountPath: "/cm"}}
		w, err := c.Client().CoreV1().Pods("default").Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + p.Name})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Client().CoreV1().Pods("default").Create(ctx, p, metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
		waitAllReady(b, w, 1)
	}
}
