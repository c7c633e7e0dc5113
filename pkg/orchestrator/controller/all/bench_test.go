package all_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/all"
	"github.com/kubeskiff/skiff/pkg/orchestrator/scheduler"
)

// BenchmarkThreeThousandPods measures from the creation of ten Deployments until all of their 3,000 pods are bound to 100
// nodes, in real time, through the API.
func BenchmarkThreeThousandPods(b *testing.B) {
	for b.Loop() {
		c := clustertest.New(b)
		meta, err := metadata.NewForConfig(c.Config(auth.Admin()))
		if err != nil {
			b.Fatal(err)
		}
		var runners []clustertest.Runner
		for _, one := range all.New(controller.Context{Client: c.Client(), Informers: c.Informers, Metadata: meta}) {
			runners = append(runners, one)
		}
		bound, done := 0, make(chan struct{})
		_, err = c.Informers.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			UpdateFunc: func(old, obj any) {
				if old.(*corev1.Pod).Spec.NodeName == "" && obj.(*corev1.Pod).Spec.NodeName != "" {
					if bound++; bound == 3000 {
						close(done)
					}
				}
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 100 {
			c.Create(newNode(fmt.Sprintf("node-%03d", i)))
		}
		c.Run(append(runners, scheduler.New(c.Client(), c.Informers, scheduler.Config{}))...)
		start := time.Now()
		for i := range 10 {
			d := newDeployment(fmt.Sprintf("web-%d", i), "web:1", 300)
			if _, err := c.Client().AppsV1().Deployments("default").Create(c.Context(), d, metav1.CreateOptions{}); err != nil {
				b.Fatal(err)
			}
		}
		<-done
		b.ReportMetric(time.Since(start).Seconds(), "s/3000pods")
	}
}

// BenchmarkFirstPod measures from the creation of a Deployment until its pod exists.
func BenchmarkFirstPod(b *testing.B) {
	c := clustertest.New(b)
	meta, err := metadata.NewForConfig(c.Config(auth.Admin()))
	if err != nil {
		b.Fatal(err)
	}
	var runners []clustertest.Runner
	for _, one := range all.New(controller.Context{Client: c.Client(), Informers: c.Informers, Metadata: meta}) {
		runners = append(runners, one)
	}
	created := make(chan struct{}, 1)
	_, err = c.Informers.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(any) { created <- struct{}{} }})
	if err != nil {
		b.Fatal(err)
	}
	c.Run(runners...)
	for i := 0; b.Loop(); i++ {
		d := newDeployment(fmt.Sprintf("web-%d", i), "web:1", 1)
		if _, err := c.Client().AppsV1().Deployments("default").Create(c.Context(), d, metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
		<-created
	}
}
