package scheduler_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
	"github.com/kubeskiff/skiff/pkg/orchestrator/scheduler"
)

func node(name, cpu string) *corev1.Node {
	amounts := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse("8Gi"), corev1.ResourcePods: resource.MustParse("110"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
		Status:     corev1.NodeStatus{Capacity: amounts, Allocatable: amounts},
	}
}

// open takes away the taint that new nodes have until the nodelifecycle controller has seen them.
func open(t *testing.T, c *clustertest.Cluster, name string) {
	t.Helper()
	patch := []byte(`{"spec":{"taints":[]}}`)
	if _, err := c.Client().CoreV1().Nodes().Patch(c.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

func pod(name, cpu string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "c", Image: "web:1",
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}},
		}}},
	}
}

func get(t *testing.T, c *clustertest.Cluster, name string) *corev1.Pod {
	t.Helper()
	p, err := c.Client().CoreV1().Pods("default").Get(c.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func messages(t *testing.T, c *clustertest.Cluster, name string) string {
	t.Helper()
	list, err := c.Client().CoreV1().Events("default").List(c.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range list.Items {
		if e.InvolvedObject.Name == name {
			texts = append(texts, e.Type+" "+e.Reason+" "+e.Source.Component+" "+e.Message)
		}
	}
	return strings.Join(texts, "\n")
}

func TestPodWaitsForRoom(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		c.Run(scheduler.New(c.Client(), c.Informers, scheduler.Config{}))
		c.Create(pod("first", "3"), pod("second", "3"))
		const why = "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
		c.Wait("told that there are no nodes", func() bool {
			return strings.Contains(messages(t, c, "first"), "Warning FailedScheduling default-scheduler no nodes available to schedule pods")
		})
		c.Create(node("n1", "4"))
		c.Pass(time.Second) // events are named after the time, which stands still otherwise
		open(t, c, "n1")
		c.Wait("one is bound", func() bool { return get(t, c, "first").Spec.NodeName+get(t, c, "second").Spec.NodeName == "n1" })
		bound, waits := "first", "second"
		if get(t, c, "second").Spec.NodeName != "" {
			bound, waits = waits, bound
		}
		c.Wait("the event tells", func() bool {
			return strings.Contains(messages(t, c, bound), "Normal Scheduled default-scheduler Successfully assigned default/"+bound+" to n1")
		})
		c.Wait("the other waits", func() bool {
			for _, condition := range get(t, c, waits).Status.Conditions {
				if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse && condition.Reason == "Unschedulable" && condition.Message == why {
					return true
				}
			}
			return false
		})
		c.Pass(20 * time.Second)
		start := time.Now()
		if err := c.Client().CoreV1().Pods("default").Delete(c.Context(), bound, *metav1.NewDeleteOptions(0)); err != nil {
			t.Fatal(err)
		}
		c.Wait("it takes the place", func() bool { return get(t, c, waits).Spec.NodeName == "n1" })
		if took := time.Since(start); took > time.Second {
			t.Errorf("woken after %s", took)
		}
	})
}

func TestGatesAndOtherSchedulers(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		c.Run(scheduler.New(c.Client(), c.Informers, scheduler.Config{}))
		gated, other := pod("gated", "1"), pod("other", "1")
		gated.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "example.com/wait"}}
		other.Spec.SchedulerName = "mine"
		c.Create(node("n1", "4"), gated, other)
		open(t, c, "n1")
		c.Pass(time.Minute)
		if got := get(t, c, "gated").Spec.NodeName + get(t, c, "other").Spec.NodeName; got != "" {
			t.Errorf("bound to %s", got)
		}
		free := get(t, c, "gated")
		free.Spec.SchedulingGates = nil
		if _, err := c.Client().CoreV1().Pods("default").Update(c.Context(), free, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Wait("the gate is open", func() bool { return get(t, c, "gated").Spec.NodeName == "n1" })
	})
}

// A cordoned node takes pods again once it is uncordoned; a label that comes later lets a node selector match.
func TestNodeChangesWake(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		c.Run(scheduler.New(c.Client(), c.Informers, scheduler.Config{}))
		closed, picky := node("n1", "4"), pod("picky", "1")
		closed.Spec.Unschedulable = true
		picky.Spec.NodeSelector = map[string]string{"disk": "ssd"}
		c.Create(closed, pod("p", "1"), picky)
		open(t, c, "n1")
		c.Pass(time.Minute)
		for _, patch := range []string{`{"spec":{"unschedulable":false}}`, `{"metadata":{"labels":{"disk":"ssd"}}}`} {
			if _, err := c.Client().CoreV1().Nodes().Patch(c.Context(), "n1", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		c.Wait("both are bound", func() bool { return get(t, c, "p").Spec.NodeName == "n1" && get(t, c, "picky").Spec.NodeName == "n1" })
	})
}
