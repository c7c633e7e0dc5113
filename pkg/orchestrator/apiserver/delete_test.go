package apiserver_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

func TestDeleteWaitsForFinalizers(t *testing.T) {
	held := configMap("a")
	held.Finalizers = []string{"example.com/hold"}
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps := context.Background(), c.Client().CoreV1().ConfigMaps("default")
		if err := maps.Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		got, err := maps.Get(ctx, "a", metav1.GetOptions{})
		if err != nil || got.DeletionTimestamp == nil || *got.DeletionGracePeriodSeconds != 0 {
			t.Fatalf("a held object: %v, %v", got, err)
		}
		if _, err := maps.Patch(ctx, "a", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := maps.Get(ctx, "a", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("the last finalizer is gone, the object is not: %v", err)
		}
	}, held)
}

func TestPropagationSetsFinalizers(t *testing.T) {
	for policy, want := range map[metav1.DeletionPropagation]string{
		metav1.DeletePropagationForeground: "[foregroundDeletion]",
		metav1.DeletePropagationOrphan:     "[orphan]",
	} {
		clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
			ctx, maps := context.Background(), c.Client().CoreV1().ConfigMaps("default")
			if err := maps.Delete(ctx, "a", metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
				t.Fatal(err)
			}
			got, err := maps.Get(ctx, "a", metav1.GetOptions{})
			if err != nil || fmt.Sprint(got.Finalizers) != want {
				t.Errorf("%s: %v, %v", policy, got.Finalizers, err)
			}
		}, configMap("a"))
	}
}

func TestGracefulPod(t *testing.T) {
	placed := pod("placed")
	placed.Spec.NodeName = "n1"
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, pods := context.Background(), c.Client().CoreV1().Pods("default")
		if err := pods.Delete(ctx, "free", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := pods.Get(ctx, "free", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("a pod without a node stays: %v", err)
		}
		start := time.Now()
		if err := pods.Delete(ctx, "placed", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		got, err := pods.Get(ctx, "placed", metav1.GetOptions{})
		if err != nil || *got.DeletionGracePeriodSeconds != 30 || !got.DeletionTimestamp.Time.Equal(start.Add(30*time.Second).Truncate(time.Second)) {
			t.Fatalf("deleted with grace: %v, %v", got.DeletionTimestamp, err)
		}
		five, zero := int64(5), int64(0)
		if err := pods.Delete(ctx, "placed", metav1.DeleteOptions{GracePeriodSeconds: &five}); err != nil {
			t.Fatal(err)
		}
		if got, _ := pods.Get(ctx, "placed", metav1.GetOptions{}); *got.DeletionGracePeriodSeconds != 5 {
			t.Errorf("shortened to %d", *got.DeletionGracePeriodSeconds)
		}
		if err := pods.Delete(ctx, "placed", metav1.DeleteOptions{GracePeriodSeconds: &zero}); err != nil {
			t.Fatal(err)
		}
		if _, err := pods.Get(ctx, "placed", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("deleted at once, still there: %v", err)
		}
	}, placed, pod("free"))
}

func TestPreconditions(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps := context.Background(), c.Client().CoreV1().ConfigMaps("default")
		wrong := types.UID("wrong")
		err := maps.Delete(ctx, "a", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &wrong}})
		got, _ := maps.Get(ctx, "a", metav1.GetOptions{})
		want := fmt.Sprintf(`Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (wrong) does not match the UID in record (%s). The object might have been deleted and then recreated`, got.UID)
		if !apierrors.IsConflict(err) || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}, configMap("a"))
}

func TestDeleteCollection(t *testing.T) {
	one, two := configMap("one"), configMap("two")
	one.Labels = map[string]string{"x": "y"}
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps := context.Background(), c.Client().CoreV1().ConfigMaps("default")
		if err := maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "x=y"}); err != nil {
			t.Fatal(err)
		}
		list, err := maps.List(ctx, metav1.ListOptions{})
		if err != nil || len(list.Items) != 1 || list.Items[0].Name != "two" {
			t.Errorf("left: %v, %v", list.Items, err)
		}
	}, one, two)
}

func TestNamespaceIsHeldByItsSpec(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, spaces := context.Background(), c.Client().CoreV1().Namespaces()
		c.Create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns"}})
		if err := spaces.Delete(ctx, "ns", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		got, err := spaces.Get(ctx, "ns", metav1.GetOptions{})
		if err != nil || got.Status.Phase != corev1.NamespaceTerminating || got.DeletionTimestamp == nil {
			t.Fatalf("deleted namespace: %v, %v", got, err)
		}
		if err := spaces.Delete(ctx, "ns", metav1.DeleteOptions{}); err != nil {
			t.Errorf("deleting it again: %v", err)
		}
		got.Spec.Finalizers = nil
		if _, err := spaces.Finalize(ctx, got, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := spaces.Get(ctx, "ns", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("finalized, still there: %v", err)
		}
	})
}

func TestEvictionAndBinding(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		r := newRaw(t, c)
		bind := `{"apiVersion":"v1","kind":"Binding","metadata":{"name":"a"},"target":{"kind":"Node","name":"n1"}}`
		if got := r.do(http.MethodPost, "/api/v1/namespaces/default/pods/a/binding", bind); got.code != http.StatusCreated {
			t.Fatalf("bind: %d %s", got.code, got.body)
		}
		p, err := c.Client().CoreV1().Pods("default").Get(context.Background(), "a", metav1.GetOptions{})
		if err != nil || p.Spec.NodeName != "n1" {
			t.Errorf("bound to %q, %v", p.Spec.NodeName, err)
		}
		evict := `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"a"}}`
		if got := r.do(http.MethodPost, "/api/v1/namespaces/default/pods/a/eviction", evict); got.code != http.StatusCreated {
			t.Fatalf("evict: %d %s", got.code, got.body)
		}
		p, err = c.Client().CoreV1().Pods("default").Get(context.Background(), "a", metav1.GetOptions{})
		if err != nil || p.DeletionTimestamp == nil {
			t.Errorf("evicted: %v, %v", p, err)
		}
	}, pod("a"))
}
