package clustertest

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

func TestTenMinutesPassInMilliseconds(t *testing.T) {
	before := time.Now()
	Run(t, func(t *testing.T, c *Cluster) {
		seen := map[string]int{}
		queue := workqueue.NewTypedDelayingQueue[string]()
		defer queue.ShutDown()
		maps := c.Informers.Core().V1().ConfigMaps()
		maps.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(obj any) { queue.AddAfter(obj.(*corev1.ConfigMap).Name, time.Minute) },
		})
		c.StartInformers()
		start := time.Now()
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "late", Namespace: "default"}, Data: map[string]string{"a": "b"}}
		if _, err := c.Client().CoreV1().ConfigMaps("default").Create(c.Context(), cm, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			key, stop := queue.Get()
			if stop {
				t.Fatal("the queue ended")
			}
			seen[key]++
			queue.Done(key)
			queue.AddAfter(key, time.Minute)
		}
		if got := seen["late"]; got != 10 {
			t.Errorf("late came %d times, want 10", got)
		}
		if passed := time.Since(start); passed < 10*time.Minute || passed > 11*time.Minute {
			t.Errorf("%s of fake time passed, want ten minutes", passed)
		}
		got, err := maps.Lister().ConfigMaps("default").Get("late")
		if err != nil || got.Data["a"] != "b" {
			t.Errorf("the informer holds %v, %v", got, err)
		}
	})
	if took := time.Since(before); took > 10*time.Second {
		t.Errorf("ten minutes took %s", took)
	} else {
		t.Logf("ten minutes took %s", took)
	}
}
