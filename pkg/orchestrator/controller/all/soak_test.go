package all_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// Many rollouts and scalings at once: no ReplicaSet creates a pod twice, and all is well in the end.
func TestManyRolloutsAtOnce(t *testing.T) {
	const deployments, rounds, most = 12, 6, 6
	run(t, controller.Config{}, 5, func(c *cluster) {
		var mu sync.Mutex
		active, created := map[string]map[string]bool{}, 0
		note := func(obj any, gone bool) {
			pod := obj.(*corev1.Pod)
			mu.Lock()
			defer mu.Unlock()
			set := pod.OwnerReferences[0].Name
			if active[set] == nil {
				active[set] = map[string]bool{}
			}
			if gone || !controller.IsActive(pod) {
				delete(active[set], pod.Name)
				return
			}
			active[set][pod.Name] = true
			// scaling in proportion, in the middle of a rollout, hands out the surge too
			if n := len(active[set]); n > most+2 {
				t.Errorf("replica set %s has %d pods", set, n)
			}
		}
		_, err := c.Informers.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { note(obj, false); mu.Lock(); created++; mu.Unlock() },
			UpdateFunc: func(_, obj any) { note(obj, false) },
			DeleteFunc: func(obj any) { note(obj, true) },
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range deployments {
			c.Create(newDeployment(fmt.Sprintf("web-%d", i), "web:0", most))
		}
		random := rand.New(rand.NewPCG(1, 2))
		for round := range rounds {
			for i := range deployments {
				c.edit(fmt.Sprintf("web-%d", i), func(d *appsv1.Deployment) {
					if random.IntN(2) == 0 {
						d.Spec.Replicas = new(int32(random.IntN(most + 1)))
						return
					}
					d.Spec.Template.Spec.Containers[0].Image = fmt.Sprintf("web:%d", round+1)
				})
			}
			c.Pass(time.Duration(random.IntN(3)) * time.Millisecond)
		}
		want := 0
		for i := range deployments {
			d := c.waitRolledOut(fmt.Sprintf("web-%d", i))
			want += int(*d.Spec.Replicas)
		}
		c.Wait("only the wanted pods are left", func() bool { return len(c.pods()) == want })
		before := created
		c.Pass(10 * time.Minute)
		if created != before {
			t.Errorf("%d pods were created when nothing was to do", created-before)
		}
		list, err := c.Client().CoreV1().Pods("default").List(c.Context(), metav1.ListOptions{})
		if err != nil || len(list.Items) != want {
			t.Errorf("%d pods in the end, want %d, %v", len(list.Items), want, err)
		}
	})
}
