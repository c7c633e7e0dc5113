package apiserver_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

const applied = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v","other":"1"}}`

// owners renders managed fields as MANAGER/OPERATION{fields}.
func owners(entries []metav1.ManagedFieldsEntry) string {
	var out []string
	for _, e := range entries {
		raw, _ := json.Marshal(e.FieldsV1)
		out = append(out, e.Manager+"/"+string(e.Operation)+" "+string(raw))
	}
	return strings.Join(out, "\n")
}

func TestApplyWithTwoManagers(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps := context.Background(), c.Client().CoreV1().ConfigMaps("default")
		apply := func(manager, body string, force bool) (string, error) {
			got, err := maps.Patch(ctx, "a", types.ApplyPatchType, []byte(body), metav1.PatchOptions{FieldManager: manager, Force: &force})
			if err != nil {
				return "", err
			}
			data, _ := json.Marshal(got.Data)
			return string(data) + "\n" + owners(got.ManagedFields), nil
		}
		got, err := apply("one", applied, false)
		want := `{"k":"v","other":"1"}` + "\n" + `one/Apply {"f:data":{"f:k":{},"f:other":{}}}`
		if err != nil || got != want {
			t.Errorf("first apply:\n got %s, %v\nwant %s", got, err, want)
		}
		theirs := strings.Replace(applied, `"k":"v","other":"1"`, `"k":"w"`, 1)
		_, err = apply("two", theirs, false)
		text := `Apply failed with 1 conflict: conflict with "one": .data.k`
		if !apierrors.IsConflict(err) || err.Error() != text {
			t.Errorf("conflicting apply: %v", err)
		}
		status := err.(*apierrors.StatusError).ErrStatus
		if len(status.Details.Causes) != 1 || status.Details.Causes[0] != (metav1.StatusCause{Type: "FieldManagerConflict", Message: `conflict with "one"`, Field: ".data.k"}) {
			t.Errorf("causes of the conflict: %+v", status.Details)
		}
		got, err = apply("two", theirs, true)
		want = `{"k":"w","other":"1"}` + "\n" + `one/Apply {"f:data":{"f:other":{}}}` + "\n" + `two/Apply {"f:data":{"f:k":{}}}`
		if err != nil || got != want {
			t.Errorf("forced apply:\n got %s, %v\nwant %s", got, err, want)
		}
		got, err = apply("one", strings.Replace(applied, `"k":"v","other":"1"`, `"new":"2"`, 1), false)
		want = `{"k":"w","new":"2"}` + "\n" + `one/Apply {"f:data":{"f:new":{}}}` + "\n" + `two/Apply {"f:data":{"f:k":{}}}`
		if err != nil || got != want {
			t.Errorf("a field left out goes:\n got %s, %v\nwant %s", got, err, want)
		}
		before, _ := maps.Get(ctx, "a", metav1.GetOptions{})
		if _, err := apply("two", theirs, false); err != nil {
			t.Error(err)
		}
		if after, _ := maps.Get(ctx, "a", metav1.GetOptions{}); after.ResourceVersion != before.ResourceVersion {
			t.Error("applying the same again moved the revision")
		}
	})
}

func TestUpdatesAreManaged(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, pods := context.Background(), c.Client().CoreV1().Pods("default")
		if _, err := pods.Create(ctx, pod("a"), metav1.CreateOptions{FieldManager: "maker"}); err != nil {
			t.Fatal(err)
		}
		_, err := pods.Patch(ctx, "a", types.MergePatchType, []byte(`{"metadata":{"labels":{"x":"y"}}}`), metav1.PatchOptions{FieldManager: "labeler"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := pods.Patch(ctx, "a", types.StrategicMergePatchType, []byte(`{"status":{"phase":"Running"}}`), metav1.PatchOptions{FieldManager: "agent"}, "status")
		if err != nil {
			t.Fatal(err)
		}
		byManager := map[string]metav1.ManagedFieldsEntry{}
		for _, e := range got.ManagedFields {
			byManager[e.Manager] = e
		}
		for manager, want := range map[string]string{
			"labeler": `labeler/Update {"f:metadata":{"f:labels":{".":{},"f:x":{}}}}`,
			"agent":   `agent/Update {"f:status":{"f:phase":{}}}`,
		} {
			if got := owners([]metav1.ManagedFieldsEntry{byManager[manager]}); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		if byManager["agent"].Subresource != "status" {
			t.Errorf("the agent's entry names subresource %q", byManager["agent"].Subresource)
		}
		maker := owners([]metav1.ManagedFieldsEntry{byManager["maker"]})
		if strings.Contains(maker, "f:status") || !strings.Contains(maker, `k:{\"name\":\"app\"}`) || !strings.Contains(maker, "f:imagePullPolicy") {
			t.Errorf("the maker owns %s", maker)
		}
	})
}
