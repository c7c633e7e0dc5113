package all_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

func TestRolloutAndUndo(t *testing.T) {
	run(t, controller.Config{}, 3, func(c *cluster) {
		start := time.Now()
		c.Create(newDeployment("web", "web:1", 5))
		d := c.waitRolledOut("web")
		if took := time.Since(start); took > time.Second {
			t.Errorf("the first rollout took %s of the cluster's time", took)
		}
		if got := d.Annotations["deployment.kubernetes.io/revision"]; got != "1" {
			t.Errorf("revision %q, want 1", got)
		}
		first := c.replicaSets()[0].Name
		c.edit("web", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "web:2" })
		c.waitRolledOut("web")
		c.edit("web", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "web:1" })
		d = c.waitRolledOut("web")
		if got := d.Annotations["deployment.kubernetes.io/revision"]; got != "3" {
			t.Errorf("revision after undo %q, want 3", got)
		}
		for _, rs := range c.replicaSets() {
			if want := rs.Name == first; (*rs.Spec.Replicas == 5) != want {
				t.Errorf("replica set %s has %d replicas", rs.Name, *rs.Spec.Replicas)
			}
			if rs.Name == first && rs.Annotations["deployment.kubernetes.io/revision-history"] != "1" {
				t.Errorf("history %q, want 1", rs.Annotations["deployment.kubernetes.io/revision-history"])
			}
		}
		c.Wait("all conditions are settled", func() bool { return progressing(c.deployment("web")).Reason == "NewReplicaSetAvailable" })
		want := `ReplicaSet "` + first + `" has successfully progressed.`
		if got := progressing(c.deployment("web")).Message; got != want {
			t.Errorf("message %q, want %q", got, want)
		}
		c.Wait("events are written", func() bool {
			return slices.Contains(c.messages("Deployment", "web"), "ScalingReplicaSet: Scaled up replica set "+first+" from 0 to 5")
		})
		if got := c.messages("ReplicaSet", first); !slices.ContainsFunc(got, func(m string) bool { return strings.HasPrefix(m, "SuccessfulCreate: Created pod: "+first+"-") }) {
			t.Errorf("events of the replica set: %q", got)
		}
	})
}

func TestProgressDeadline(t *testing.T) {
	run(t, controller.Config{}, 1, func(c *cluster) {
		c.Create(newDeployment("web", "broken:1", 2))
		start := time.Now()
		c.Wait("past the deadline", func() bool {
			p := progressing(c.deployment("web"))
			return p != nil && p.Reason == "ProgressDeadlineExceeded"
		})
		if took := time.Since(start); took < 10*time.Minute || took > 10*time.Minute+5*time.Second {
			t.Errorf("the deadline of ten minutes passed after %s", took)
		}
		p := progressing(c.deployment("web"))
		if want := `ReplicaSet "` + c.replicaSets()[0].Name + `" has timed out progressing.`; p.Status != corev1.ConditionFalse || p.Message != want {
			t.Errorf("condition %+v, want %q", p, want)
		}
	})
}

func TestRollingNeverBelowMinimum(t *testing.T) {
	run(t, controller.Config{}, 2, func(c *cluster) {
		c.Create(newDeployment("web", "web:1", 4))
		c.waitRolledOut("web")
		c.edit("web", func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Image = "broken:2"
			d.Spec.MinReadySeconds = 5
		})
		c.Pass(time.Minute)
		d := c.deployment("web")
		// 25 % of 4: one more, one less
		if d.Status.AvailableReplicas < 3 || d.Status.Replicas > 5 || d.Status.UpdatedReplicas != 2 {
			t.Errorf("status %+v", d.Status)
		}
		c.edit("web", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "web:3" })
		c.waitRolledOut("web")
	})
}

func TestScalePauseResume(t *testing.T) {
	run(t, controller.Config{}, 2, func(c *cluster) {
		c.Create(newDeployment("web", "web:1", 5))
		c.waitRolledOut("web")
		c.edit("web", func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(0)) })
		c.Wait("no pods", func() bool { return len(c.pods()) == 0 })
		c.edit("web", func(d *appsv1.Deployment) {
			d.Spec.Replicas, d.Spec.Paused = new(int32(4)), true
			d.Spec.Template.Spec.Containers[0].Image = "web:2"
		})
		c.Wait("scaled while paused", func() bool { return c.deployment("web").Status.AvailableReplicas == 4 })
		if got := c.pods()[0].Spec.Containers[0].Image; got != "web:1" {
			t.Errorf("a paused deployment rolled out %s", got)
		}
		if p := progressing(c.deployment("web")); p.Reason != "DeploymentPaused" || p.Message != "Deployment is paused" {
			t.Errorf("condition %+v", p)
		}
		c.edit("web", func(d *appsv1.Deployment) { d.Spec.Paused = false })
		c.waitRolledOut("web")
	})
}

func TestRecreate(t *testing.T) {
	run(t, controller.Config{}, 1, func(c *cluster) {
		d := newDeployment("web", "web:1", 3)
		d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
		d.Spec.RevisionHistoryLimit = new(int32(1))
		c.Create(d)
		for _, image := range []string{"web:2", "web:3", "web:4"} {
			c.waitRolledOut("web")
			c.edit("web", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = image })
		}
		c.waitRolledOut("web")
		c.Wait("old replica sets are cleaned up", func() bool { return len(c.replicaSets()) == 2 })
		for _, p := range c.pods() {
			if p.Spec.Containers[0].Image != "web:4" {
				t.Errorf("pod %s runs %s", p.Name, p.Spec.Containers[0].Image)
			}
		}
	})
}

// A pod that fits the selector is adopted, one whose labels are taken away is released and replaced.
func TestAdoptAndRelease(t *testing.T) {
	run(t, controller.Config{}, 1, func(c *cluster) {
		c.Create(newDeployment("web", "web:1", 2))
		c.waitRolledOut("web")
		pod := c.pods()[0]
		delete(pod.Labels, "app")
		if _, err := c.Client().CoreV1().Pods("default").Update(c.Context(), &pod, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		c.Wait("released and replaced", func() bool {
			released, err := c.Client().CoreV1().Pods("default").Get(c.Context(), pod.Name, metav1.GetOptions{})
			return err == nil && len(released.OwnerReferences) == 0 && len(c.pods()) == 3
		})
		c.Pass(time.Minute)
		if got := len(c.pods()); got != 3 {
			t.Errorf("%d pods after a while, want 3", got)
		}
	})
}

func progressing(d *appsv1.Deployment) *appsv1.DeploymentCondition {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == appsv1.DeploymentProgressing {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}
