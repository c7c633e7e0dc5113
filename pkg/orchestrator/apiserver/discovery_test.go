package apiserver_test

import (
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

func TestDiscovery(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		r := newRaw(t, c)
		core := r.do(http.MethodGet, "/api/v1", "").body
		for _, want := range []string{
			`{"kind":"APIResourceList","groupVersion":"v1","resources":[`,
			`{"name":"configmaps","singularName":"configmap","namespaced":true,"kind":"ConfigMap","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["cm"],"storageVersionHash":"qFsyl6wFWjQ="}`,
			`"categories":["all"]`,
			`{"name":"pods/eviction","singularName":"","namespaced":true,"group":"policy","version":"v1","kind":"Eviction","verbs":["create"]}`,
			`{"name":"namespaces","singularName":"namespace","namespaced":false,"kind":"Namespace","verbs":["create","delete","get","list","patch","update","watch"],"shortNames":["ns"],"storageVersionHash":"Q3oi5N2YM8M="}`,
		} {
			if !strings.Contains(core, want) {
				t.Errorf("/api/v1 lacks %s", want)
			}
		}
		groups := decode[metav1.APIGroupList](t, r.do(http.MethodGet, "/apis", "").body)
		var names []string
		for _, g := range groups.Groups {
			names = append(names, g.PreferredVersion.GroupVersion)
		}
		if !strings.HasPrefix(strings.Join(names, " "), "apps/v1 ") {
			t.Errorf("groups: %v", names)
		}
		if got := r.do(http.MethodGet, "/api", ""); !strings.Contains(got.body, `"versions":["v1"]`) {
			t.Errorf("/api: %s", got.body)
		}
		lists, err := c.Client().Discovery().ServerPreferredResources()
		if err != nil || len(lists) < 4 {
			t.Errorf("client-go discovers %v, %v", lists, err)
		}
	})
}

func TestAggregatedDiscovery(t *testing.T) {
	const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		r := newRaw(t, c)
		for _, path := range []string{"/api", "/apis"} {
			first := r.do(http.MethodGet, path, "", "Accept", accept)
			if got := first.header.Get("Content-Type"); got != "application/json;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2" {
				t.Errorf("%s: content type %q", path, got)
			}
			if !strings.Contains(first.body, `"freshness":"Current"`) {
				t.Errorf("%s: %s", path, first.body)
			}
			again := r.do(http.MethodGet, path, "", "Accept", accept, "If-None-Match", first.header.Get("ETag"))
			if again.code != http.StatusNotModified || again.body != "" {
				t.Errorf("%s again: %d", path, again.code)
			}
		}
	})
}

func TestOpenAPI(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		r := newRaw(t, c)
		index := decode[struct {
			Paths map[string]struct{ ServerRelativeURL string }
		}](t, r.do(http.MethodGet, "/openapi/v3", "").body)
		url := index.Paths["apis/apps/v1"].ServerRelativeURL
		if !strings.HasPrefix(url, "/openapi/v3/apis/apps/v1?hash=") {
			t.Fatalf("index: %v", index)
		}
		doc := r.do(http.MethodGet, url, "")
		for _, want := range []string{`"x-kubernetes-patch-merge-key":"name"`, `"io.k8s.api.apps.v1.Deployment"`, `"name":"fieldValidation"`, `"name":"dryRun"`} {
			if !strings.Contains(doc.body, want) {
				t.Errorf("the document of apps/v1 lacks %s", want)
			}
		}
		stale := r.do(http.MethodGet, "/openapi/v3/apis/apps/v1?hash=OLD", "")
		if stale.code != http.StatusOK || stale.body != doc.body {
			t.Errorf("a stale hash leads to %d", stale.code)
		}
		same := r.do(http.MethodGet, url, "", "If-None-Match", doc.header.Get("ETag"))
		if same.code != http.StatusNotModified {
			t.Errorf("with its tag: %d", same.code)
		}
		if _, err := c.Client().Discovery().OpenAPISchema(); err != nil {
			t.Errorf("OpenAPI v2 as client-go reads it: %v", err)
		}
	})
}
