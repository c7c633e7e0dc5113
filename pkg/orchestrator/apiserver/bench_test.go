package apiserver_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

func BenchmarkCreateConfigMap(b *testing.B) {
	c := clustertest.New(b)
	maps := c.Client().CoreV1().ConfigMaps("default")
	i := 0
	for b.Loop() {
		i++
		if _, err := maps.Create(context.Background(), configMap(fmt.Sprint("c", i), "k", "v"), metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCreatePod(b *testing.B) {
	c := clustertest.New(b)
	pods := c.Client().CoreV1().Pods("default")
	i := 0
	for b.Loop() {
		i++
		if _, err := pods.Create(context.Background(), pod(fmt.Sprint("p", i)), metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPatchPodStatus(b *testing.B) {
	c := clustertest.New(b, pod("a"))
	pods := c.Client().CoreV1().Pods("default")
	i := 0
	for b.Loop() {
		i++
		patch := fmt.Sprintf(`{"status":{"message":"%d"}}`, i)
		if _, err := pods.Patch(context.Background(), "a", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetPod(b *testing.B) {
	c := clustertest.New(b, pod("a"))
	pods := c.Client().CoreV1().Pods("default")
	for b.Loop() {
		if _, err := pods.Get(context.Background(), "a", metav1.GetOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkList1000Pods(b *testing.B) {
	c := clustertest.New(b)
	for i := range 1000 {
		c.Create(pod(fmt.Sprint("p", i)))
	}
	client := c.Client().CoreV1().RESTClient()
	for b.Loop() {
		if _, err := client.Get().AbsPath("/api/v1/pods").DoRaw(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWatchFanOut sends each change to 100 watchers.
func BenchmarkWatchFanOut(b *testing.B) {
	c := clustertest.New(b, pod("a"))
	pods := c.Client().CoreV1().Pods("default")
	const watchers = 100
	var heard sync.WaitGroup
	for range watchers {
		w, err := pods.Watch(c.Context(), metav1.ListOptions{})
		if err != nil {
			b.Fatal(err)
		}
		<-w.ResultChan()
		go func() {
			for e := range w.ResultChan() {
				if e.Type == watch.Modified {
					heard.Done()
				}
			}
		}()
	}
	i := 0
	for b.Loop() {
		i++
		heard.Add(watchers)
		patch := fmt.Sprintf(`{"metadata":{"annotations":{"n":"%d"}}}`, i)
		if _, err := pods.Patch(context.Background(), "a", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			b.Fatal(err)
		}
		heard.Wait()
	}
}
