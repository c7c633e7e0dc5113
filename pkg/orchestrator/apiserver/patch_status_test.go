package apiserver_test

import (
	"context"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

// TestStatusPatchesAgree applies the same changes the short way (about the status alone) and the long way (with an empty
// label map beside it, which says nothing) and wants the same objects, owners included.
func TestStatusPatchesAgree(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		pods := c.Client().CoreV1().Pods("default")
		apply := func(name, patch string) *corev1.Pod {
			got, err := pods.Patch(context.Background(), name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "agent"}, "status")
			if err != nil {
				t.Fatalf("%s: %v", patch, err)
			}
			return got
		}
		for _, status := range []string{
			`{"phase":"Running","podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"}]}`,
			`{"conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"app","image":"app:1","imageID":"x","ready":true,"restartCount":0}]}`,
			`{"$setElementOrder/conditions":[{"type":"Initialized"},{"type":"Ready"}],"conditions":[{"type":"Initialized","status":"True"},{"type":"Ready","status":"False"}]}`,
			`{"podIP":null,"message":"m"}`,
			`{"conditions":[{"$patch":"delete","type":"Ready"}]}`,
		} {
			short, long := apply("short", `{"status":`+status+`}`), apply("long", `{"metadata":{"labels":{}},"status":`+status+`}`)
			if !reflect.DeepEqual(short.Status, long.Status) || !reflect.DeepEqual(short.Spec, long.Spec) {
				t.Errorf("%s:\nshort %+v\n long %+v", status, short.Status, long.Status)
			}
			if got, want := owners(short.ManagedFields), owners(long.ManagedFields); got != want {
				t.Errorf("%s:\nshort %s\n long %s", status, got, want)
			}
		}
	}, pod("short"), pod("long"))
}
