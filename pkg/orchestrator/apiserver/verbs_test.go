package apiserver_test

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

func TestLifeOfAnObject(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps := context.Background(), c.Client().CoreV1().ConfigMaps("default")
		made, err := maps.Create(ctx, configMap("a", "k", "v"), metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if made.UID == "" || made.ResourceVersion == "" || made.CreationTimestamp.IsZero() {
			t.Errorf("created without what the system fills in: %+v", made.ObjectMeta)
		}
		got, err := maps.Get(ctx, "a", metav1.GetOptions{})
		if err != nil || got.Data["k"] != "v" || got.ResourceVersion != made.ResourceVersion {
			t.Errorf("get = %v, %v", got, err)
		}
		changed := got.DeepCopy()
		changed.Data["k"] = "w"
		changed, err = maps.Update(ctx, changed, metav1.UpdateOptions{})
		if err != nil || changed.Data["k"] != "w" || changed.UID != made.UID {
			t.Errorf("update = %v, %v", changed, err)
		}
		got.Data["k"] = "stale"
		_, err = maps.Update(ctx, got, metav1.UpdateOptions{})
		want := `Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again`
		if !apierrors.IsConflict(err) || err.Error() != want {
			t.Errorf("stale update: %v", err)
		}
		same, err := maps.Update(ctx, changed.DeepCopy(), metav1.UpdateOptions{})
		if err != nil || same.ResourceVersion != changed.ResourceVersion {
			t.Errorf("a write that changes nothing moved the revision: %v, %v", same.ResourceVersion, err)
		}
		if err := maps.Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
			t.Errorf("delete: %v", err)
		}
		if _, err := maps.Get(ctx, "a", metav1.GetOptions{}); !apierrors.IsNotFound(err) || err.Error() != `configmaps "a" not found` {
			t.Errorf("get after delete: %v", err)
		}
	})
}

func TestPatches(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, pods := context.Background(), c.Client().CoreV1().Pods("default")
		c.Create(pod("a"))
		for _, tt := range []struct {
			name  string
			kind  types.PatchType
			patch string
			want  func(p *corev1.Pod) bool
		}{
			{"strategic merges by key", types.StrategicMergePatchType, `{"spec":{"containers":[{"name":"app","image":"app:2"}]}}`,
				func(p *corev1.Pod) bool { return len(p.Spec.Containers) == 1 && p.Spec.Containers[0].Image == "app:2" }},
			{"strategic adds a label", types.StrategicMergePatchType, `{"metadata":{"labels":{"x":"1"}}}`,
				func(p *corev1.Pod) bool { return p.Labels["x"] == "1" && p.Spec.Containers[0].Image == "app:2" }},
			{"merge removes by null", types.MergePatchType, `{"metadata":{"labels":{"x":null,"y":"2"}}}`,
				func(p *corev1.Pod) bool { return p.Labels["y"] == "2" && len(p.Labels) == 1 }},
			{"json", types.JSONPatchType, `[{"op":"test","path":"/kind","value":"Pod"},{"op":"replace","path":"/spec/containers/0/image","value":"app:3"}]`,
				func(p *corev1.Pod) bool { return p.Spec.Containers[0].Image == "app:3" }},
		} {
			got, err := pods.Patch(ctx, "a", tt.kind, []byte(tt.patch), metav1.PatchOptions{})
			if err != nil || !tt.want(got) {
				t.Errorf("%s: %v, %v", tt.name, got, err)
			}
		}
		before, _ := pods.Get(ctx, "a", metav1.GetOptions{})
		after, err := pods.Patch(ctx, "a", types.MergePatchType, []byte(`{"metadata":{"labels":{"y":"2"}}}`), metav1.PatchOptions{})
		if err != nil || before.ResourceVersion != after.ResourceVersion {
			t.Errorf("an empty patch moved the revision from %s to %s: %v", before.ResourceVersion, after.ResourceVersion, err)
		}
	})
}

func TestGenerateName(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		maps, seen := c.Client().CoreV1().ConfigMaps("default"), map[string]bool{}
		for range 20 {
			cm := configMap("")
			cm.GenerateName = "pre-"
			got, err := maps.Create(context.Background(), cm, metav1.CreateOptions{})
			if err != nil || !strings.HasPrefix(got.Name, "pre-") || len(got.Name) != len("pre-")+5 {
				t.Fatalf("created %q, %v", got.Name, err)
			}
			seen[got.Name] = true
		}
		if len(seen) != 20 {
			t.Errorf("%d names of 20 differ", len(seen))
		}
	})
}

func TestDryRun(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps, dry := context.Background(), c.Client().CoreV1().ConfigMaps("default"), []string{metav1.DryRunAll}
		got, err := maps.Create(ctx, configMap("a"), metav1.CreateOptions{DryRun: dry})
		if err != nil || got.UID == "" {
			t.Errorf("dry create = %v, %v", got, err)
		}
		if _, err := maps.Get(ctx, "a", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("a dry create left something: %v", err)
		}
		c.Create(configMap("a", "k", "v"))
		got, err = maps.Update(ctx, configMap("a", "k", "w"), metav1.UpdateOptions{DryRun: dry})
		if err != nil || got.Data["k"] != "w" {
			t.Errorf("dry update = %v, %v", got, err)
		}
		if err := maps.Delete(ctx, "a", metav1.DeleteOptions{DryRun: dry}); err != nil {
			t.Errorf("dry delete: %v", err)
		}
		if got, err := maps.Get(ctx, "a", metav1.GetOptions{}); err != nil || got.Data["k"] != "v" {
			t.Errorf("after dry writes: %v, %v", got, err)
		}
	})
}

func TestManyWritersLoseNothing(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps := context.Background(), c.Client().CoreV1().ConfigMaps("default")
		c.Create(configMap("a"))
		const writers = 20
		errs := make(chan error, writers)
		for i := range writers {
			go func() {
				patch := `{"data":{"k` + string(rune('a'+i)) + `":"1"}}`
				_, err := maps.Patch(ctx, "a", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
				errs <- err
			}()
		}
		for range writers {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if got, _ := maps.Get(ctx, "a", metav1.GetOptions{}); len(got.Data) != writers {
			t.Errorf("%d keys of %d are there", len(got.Data), writers)
		}
	})
}
