package apiserver_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

const maps = "/api/v1/namespaces/default/configmaps"

func TestYAMLBothWays(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		r := newRaw(t, c)
		made := r.do(http.MethodPost, maps, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n", "Content-Type", "application/yaml", "Accept", "application/yaml")
		var cm corev1.ConfigMap
		if err := yaml.Unmarshal([]byte(made.body), &cm); err != nil || made.code != http.StatusCreated || cm.Data["k"] != "v" || cm.Kind != "ConfigMap" {
			t.Errorf("%d %s: %v", made.code, made.body, err)
		}
		bad := r.do(http.MethodPost, maps, "a: b: c", "Content-Type", "application/yaml")
		if bad.code != http.StatusBadRequest {
			t.Errorf("broken YAML: %d %s", bad.code, bad.body)
		}
		twice := r.do(http.MethodPost, maps+"?fieldValidation=Strict", "metadata: {name: b}\ndata: {k: 1}\ndata: {k: 2}\n", "Content-Type", "application/yaml")
		if twice.code != http.StatusBadRequest {
			t.Errorf("a key that stands twice: %d %s", twice.code, twice.body)
		}
	})
}

func TestPrettyForPeople(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		got := newRaw(t, c).do(http.MethodGet, maps+"/a", "", "User-Agent", "curl/8.5.0")
		if !strings.HasPrefix(got.body, "{\n  \"kind\": \"ConfigMap\",\n  \"apiVersion\": \"v1\",\n  \"metadata\": {\n    \"name\": \"a\",") {
			t.Errorf("got %s", got.body)
		}
	}, configMap("a"))
}

func TestPartialObjects(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		client, err := metadata.NewForConfig(c.Config(auth.Admin()))
		if err != nil {
			t.Fatal(err)
		}
		pods := client.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace("default")
		list, err := pods.List(c.Context(), metav1.ListOptions{})
		if err != nil || len(list.Items) != 1 || list.Items[0].Name != "a" || list.Items[0].UID == "" {
			t.Fatalf("list: %v, %v", list, err)
		}
		one, err := pods.Get(c.Context(), "a", metav1.GetOptions{})
		if err != nil || one.UID != list.Items[0].UID {
			t.Errorf("get: %v, %v", one, err)
		}
		w, err := pods.Watch(c.Context(), metav1.ListOptions{ResourceVersion: list.ResourceVersion})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		c.Create(pod("b"))
		e := <-w.ResultChan()
		if p, ok := e.Object.(*metav1.PartialObjectMetadata); !ok || p.Name != "b" {
			t.Errorf("watch: %s %v", e.Type, e.Object)
		}
	}, pod("a"))
}

func TestDynamicClient(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		client, err := dynamic.NewForConfig(c.Config(auth.Admin()))
		if err != nil {
			t.Fatal(err)
		}
		maps := client.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace("default")
		in := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "a"}, "data": map[string]any{"k": "v"}}}
		if _, err := maps.Create(context.Background(), in, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		got, err := maps.Get(context.Background(), "a", metav1.GetOptions{})
		if err != nil || got.GetKind() != "ConfigMap" || got.GetAPIVersion() != "v1" {
			t.Errorf("get: %v, %v", got, err)
		}
	})
}

func TestLargeAnswersAreCompressed(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		resp := newRaw(t, c).open(http.MethodGet, maps+"/big", "", "Accept-Encoding", "gzip")
		defer resp.Body.Close()
		if resp.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("headers: %v", resp.Header)
		}
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(z)
		if err != nil || !strings.Contains(string(body), strings.Repeat("x", 200000)) {
			t.Errorf("%d bytes, %v", len(body), err)
		}
	}, configMap("big", "k", strings.Repeat("x", 200000)))
}

func TestTables(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		r := newRaw(t, c)
		c.Pass(90 * time.Second)
		const accept = "application/json;as=Table;g=meta.k8s.io;v=v1"
		list := decode[metav1.Table](t, r.do(http.MethodGet, "/api/v1/namespaces/default/pods", "", "Accept", accept).body)
		if len(list.Rows) != 1 || list.Rows[0].Cells[0] != "a" || list.Rows[0].Cells[4] != "90s" || list.ColumnDefinitions[0].Name != "Name" {
			t.Errorf("list: %+v", list)
		}
		if raw := string(list.Rows[0].Object.Raw); !strings.HasPrefix(raw, `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a"`) {
			t.Errorf("the row's object: %s", raw)
		}
		whole := decode[metav1.Table](t, r.do(http.MethodGet, "/api/v1/namespaces/default/pods?includeObject=Object", "", "Accept", accept).body)
		if raw := string(whole.Rows[0].Object.Raw); !strings.HasPrefix(raw, `{"kind":"Pod","apiVersion":"v1"`) || !strings.Contains(raw, `"spec":{`) {
			t.Errorf("the row's whole object: %s", raw)
		}
		none := decode[metav1.Table](t, r.do(http.MethodGet, "/api/v1/namespaces/default/pods/a?includeObject=None", "", "Accept", accept).body)
		if raw := string(none.Rows[0].Object.Raw); raw != "null" && raw != "" {
			t.Errorf("the row without an object: %s", raw)
		}
		empty := r.do(http.MethodGet, "/api/v1/namespaces/none/pods", "", "Accept", accept).body
		if !strings.HasSuffix(empty, "\"rows\":[]}\n") {
			t.Errorf("an empty table: %s", empty)
		}
	}, pod("a"))
}

func TestScale(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		r := newRaw(t, c)
		const deployments = "/apis/apps/v1/namespaces/default/deployments"
		body := `{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}`
		if got := r.do(http.MethodPost, deployments, body); got.code != http.StatusCreated {
			t.Fatalf("%d %s", got.code, got.body)
		}
		got := r.do(http.MethodPatch, deployments+"/d/scale", `{"spec":{"replicas":3}}`, "Content-Type", "application/merge-patch+json")
		if got.code != http.StatusOK || !strings.Contains(got.body, `"kind":"Scale","apiVersion":"autoscaling/v1"`) || !strings.Contains(got.body, `"spec":{"replicas":3},"status":{"replicas":0,"selector":"a=b"}`) {
			t.Errorf("scaled: %d %s", got.code, got.body)
		}
		d, err := c.Client().AppsV1().Deployments("default").Get(c.Context(), "d", metav1.GetOptions{})
		if err != nil || *d.Spec.Replicas != 3 || d.Generation != 2 {
			t.Errorf("deployment: %v, %v", d, err)
		}
		scale, err := c.Client().AppsV1().Deployments("default").GetScale(c.Context(), "d", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		scale.Spec.Replicas = -1
		if _, err := c.Client().AppsV1().Deployments("default").UpdateScale(c.Context(), "d", scale, metav1.UpdateOptions{}); err == nil ||
			err.Error() != `Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0` {
			t.Errorf("below zero: %v", err)
		}
	})
}
