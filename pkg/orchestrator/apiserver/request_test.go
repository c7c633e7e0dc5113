package apiserver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

func TestParsePath(t *testing.T) {
	core, apps := schema.GroupVersion{Version: "v1"}, schema.GroupVersion{Group: "apps", Version: "v1"}
	for _, tt := range []struct {
		method, url string
		want        path
	}{
		{"GET", "/version", path{verb: "get"}},
		{"GET", "/api/v1", path{verb: "get"}},
		{"GET", "/apis/apps/v1", path{verb: "get"}},
		{"GET", "/api/v1/pods", path{isResource: true, verb: "list", gv: core, resource: "pods"}},
		{"GET", "/api/v1/pods?watch=true", path{isResource: true, verb: "watch", gv: core, resource: "pods"}},
		{"GET", "/api/v1/pods?watch=0", path{isResource: true, verb: "list", gv: core, resource: "pods"}},
		{"GET", "/api/v1/watch/namespaces/x/pods", path{isResource: true, verb: "watch", gv: core, resource: "pods", namespace: "x"}},
		{"GET", "/api/v1/namespaces/x", path{isResource: true, verb: "get", gv: core, resource: "namespaces", name: "x"}},
		{"PUT", "/api/v1/namespaces/x/finalize", path{isResource: true, verb: "update", gv: core, resource: "namespaces", name: "x", subresource: "finalize"}},
		{"POST", "/api/v1/namespaces/x/pods", path{isResource: true, verb: "create", gv: core, resource: "pods", namespace: "x"}},
		{"DELETE", "/api/v1/namespaces/x/pods", path{isResource: true, verb: "deletecollection", gv: core, resource: "pods", namespace: "x"}},
		{"DELETE", "/api/v1/namespaces/x/pods/a", path{isResource: true, verb: "delete", gv: core, resource: "pods", namespace: "x", name: "a"}},
		{"PATCH", "/apis/apps/v1/namespaces/x/deployments/d/scale", path{isResource: true, verb: "patch", gv: apps, resource: "deployments", namespace: "x", name: "d", subresource: "scale"}},
		{"GET", "/api/v1/pods?fieldSelector=metadata.name%3Da", path{isResource: true, verb: "list", gv: core, resource: "pods", name: "a"}},
		{"GET", "/api/v1/nodes/n/proxy/a//b?watch=1", path{isResource: true, verb: "get", gv: core, resource: "nodes", name: "n", subresource: "proxy", rest: "a//b"}},
	} {
		r := httptest.NewRequest(tt.method, tt.url, nil)
		if got := parsePath(r, r.URL.Query()); got != tt.want {
			t.Errorf("%s %s:\n got %+v\nwant %+v", tt.method, tt.url, got, tt.want)
		}
	}
}

func TestNegotiate(t *testing.T) {
	for _, tt := range []struct {
		accept, agent, query string
		want                 form
	}{
		{"", "", "", form{media: mediaJSON}},
		{"*/*", "curl/8.0", "", form{media: mediaJSON, pretty: true}},
		{"", "curl/8.0", "pretty=false", form{media: mediaJSON}},
		{"", "", "pretty=true", form{media: mediaJSON, pretty: true}},
		{"application/yaml", "", "", form{media: mediaYAML}},
		{"application/vnd.kubernetes.protobuf,application/json", "", "", form{media: mediaProtobuf}},
		{"application/json;q=0.5, application/vnd.kubernetes.protobuf", "", "", form{media: mediaProtobuf}},
		{"application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", "", "", form{media: mediaJSON, as: asTable}},
		{"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", "", "", form{media: mediaJSON}},
		{"application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", "", "", form{media: mediaProtobuf, as: asPartialList}},
		{"application/cbor, application/json", "", "", form{media: mediaJSON}},
	} {
		r := httptest.NewRequest(http.MethodGet, "/x?"+tt.query, nil)
		r.Header.Set("Accept", tt.accept)
		if tt.accept == "" {
			r.Header.Del("Accept")
		}
		r.Header.Set("User-Agent", tt.agent)
		got, err := negotiate(r, r.URL.Query())
		if err != nil || got != tt.want {
			t.Errorf("%q %q: got %+v, %v, want %+v", tt.accept, tt.query, got, err, tt.want)
		}
	}
}

func TestContinueTokens(t *testing.T) {
	for _, key := range []store.Key{{Resource: "pods", Namespace: "ns", Name: "a"}, {Resource: "pods", Name: "node"}} {
		got, revision, err := decodeContinue(encodeContinue(key, 7), "pods")
		if got != key || revision != 7 || err != nil {
			t.Errorf("%v came back as %v at %d, %v", key, got, revision, err)
		}
	}
	for _, bad := range []string{"!", "e30", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MH0"} {
		if _, _, err := decodeContinue(bad, "pods"); err == nil || !strings.HasPrefix(err.Error(), "continue key is not valid") {
			t.Errorf("token %q: %v", bad, err)
		}
	}
}

func TestAgentName(t *testing.T) {
	for agent, want := range map[string]string{
		"kubectl/v1.37.2 (linux/amd64)": "kubectl", "": "", "a\x01b/1": "ab", strings.Repeat("x", 200): strings.Repeat("x", 128),
	} {
		if got := agentName(agent); got != want {
			t.Errorf("%q is called %q, want %q", agent, got, want)
		}
	}
}
