package apiserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

// TestErrorTexts holds the words of refusals to those of the real server.
func TestErrorTexts(t *testing.T) {
	const maps = "/api/v1/namespaces/default/configmaps"
	const deployment = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}`
	for _, tt := range []struct {
		method, path, body string
		headers            []string
		code               int
		reason, message    string
	}{
		{"GET", "/api/v1/nothings", "", nil, 404, "NotFound", "the server could not find the requested resource"},
		{"GET", maps + "/no", "", nil, 404, "NotFound", `configmaps "no" not found`},
		{"DELETE", maps + "/no", "", nil, 404, "NotFound", `configmaps "no" not found`},
		{"POST", maps, `{"metadata":{"name":"have"}}`, nil, 409, "AlreadyExists", `configmaps "have" already exists`},
		{"POST", maps, `{"metadata":{}}`, nil, 422, "Invalid", `ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required`},
		{"POST", maps, `{"metadata":{"name":"A_b"}}`, nil, 422, "Invalid", `ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`},
		{"POST", maps, `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}`, nil, 400, "BadRequest", `Pod in version "v1" cannot be handled as a ConfigMap: converting (/v1, Kind=Pod) to (/v1, Kind=ConfigMap): unknown conversion`},
		{"POST", maps, `{"kind":"ConfigMap","apiVersion":"v2","metadata":{"name":"a"}}`, nil, 400, "BadRequest", `the API version in the data (v2) does not match the expected API version (v1)`},
		{"POST", maps, `{"metadata":{"name":"a","namespace":"other"}}`, nil, 400, "BadRequest", `the namespace of the provided object does not match the namespace sent on the request`},
		{"PUT", maps + "/have", `{"metadata":{"name":"other"}}`, nil, 400, "BadRequest", `the name of the object (other) does not match the name on the URL (have)`},
		{"POST", maps + "?fieldValidation=Strict", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"foo":1}`, nil, 400, "BadRequest", `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "foo"`},
		{"POST", "/apis/apps/v1/namespaces/default/deployments?fieldValidation=Strict", strings.Replace(deployment, `"spec":{`, `"spec":{"foo":1,"replicas":1,"replicas":2,`, 1), nil, 400, "BadRequest", `Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.foo", duplicate field "spec.replicas"`},
		{"POST", "/apis/apps/v1/namespaces/default/deployments", strings.Replace(deployment, `"spec":{`, `"spec":{"replicas":"two",`, 1), nil, 400, "BadRequest", `Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`},
		{"POST", "/api/v1/namespaces/nons/configmaps", `{"metadata":{"name":"a"}}`, nil, 404, "NotFound", `namespaces "nons" not found`},
		{"POST", maps, `{"metadata":{"name":"a"}}`, []string{"Content-Type", "text/plain"}, 415, "UnsupportedMediaType", `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf`},
		{"GET", maps, "", []string{"Accept", "text/plain"}, 406, "NotAcceptable", `only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf`},
		{"PATCH", maps + "/have", `{}`, []string{"Content-Type", "application/json"}, 415, "UnsupportedMediaType", `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml`},
		{"PATCH", maps + "/have", `{`, []string{"Content-Type", "application/merge-patch+json"}, 400, "BadRequest", `invalid JSON patch`},
		{"PATCH", maps + "/have", `{"metadata":{"resourceVersion":"1"},"data":{"a":"b"}}`, []string{"Content-Type", "application/merge-patch+json"}, 409, "Conflict", `Operation cannot be fulfilled on configmaps "have": the object has been modified; please apply your changes to the latest version and try again`},
		{"PATCH", maps + "/have", `{"kind":"ConfigMap","apiVersion":"v1"}`, []string{"Content-Type", "application/apply-patch+yaml"}, 422, "Invalid", `PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch`},
		{"POST", maps, strings.Repeat("x", 3<<20+1), nil, 413, "RequestEntityTooLarge", `Request entity too large: limit is 3145728`},
		{"GET", maps + "?fieldSelector=spec.x%3Dy", "", nil, 400, "BadRequest", `"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"`},
		{"GET", "/api/v1/pods?fieldSelector=spec.x%3Dy", "", nil, 400, "BadRequest", `field label not supported: spec.x`},
		{"GET", maps + "?continue=nonsense!", "", nil, 400, "BadRequest", `invalid continue token: continue key is not valid: illegal base64 data at input byte 8`},
		{"GET", maps + "?resourceVersionMatch=Exact", "", nil, 422, "Invalid", `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided`},
		{"GET", maps + "?resourceVersion=999999", "", nil, 504, "Timeout", `Timeout: Too large resource version: 999999, current: %d`},
		{"DELETE", "/api/v1/namespaces/default", "", nil, 403, "Forbidden", `namespaces "default" is forbidden: this namespace may not be deleted`},
		{"PUT", "/api/v1/pods", `{}`, nil, 405, "MethodNotAllowed", `the server does not allow this method on the requested resource`},
	} {
		clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
			got := newRaw(t, c).do(tt.method, tt.path, tt.body, tt.headers...)
			var status metav1.Status
			if err := json.Unmarshal([]byte(got.body), &status); err != nil {
				t.Fatalf("%s %s: answer %q: %v", tt.method, tt.path, got.body, err)
			}
			want := tt.message
			if strings.Contains(want, "current: %d") {
				want = fmt.Sprintf(want, c.Store.Revision())
			}
			if got.code != tt.code || string(status.Reason) != tt.reason || status.Message != want {
				t.Errorf("%s %s:\n got %d %s %q\nwant %d %s %q", tt.method, tt.path, got.code, status.Reason, status.Message, tt.code, tt.reason, want)
			}
			if status.Kind != "Status" || status.APIVersion != "v1" || status.Status != "Failure" || int(status.Code) != tt.code {
				t.Errorf("%s %s: not a whole Status: %s", tt.method, tt.path, got.body)
			}
		}, configMap("have"))
	}
}

func TestWarnings(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		r := newRaw(t, c)
		got := r.do(http.MethodPost, "/api/v1/namespaces/default/configmaps", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"foo":1,"data":{"k":"1","k":"2"}}`)
		if got.code != http.StatusCreated {
			t.Fatalf("%d %s", got.code, got.body)
		}
		want := []string{`299 - "unknown field \"foo\""`, `299 - "duplicate field \"data.k\""`}
		if fmt.Sprint(got.header.Values("Warning")) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got.header.Values("Warning"), want)
		}
		quiet := r.do(http.MethodPost, "/api/v1/namespaces/default/configmaps?fieldValidation=Ignore", `{"metadata":{"name":"b"},"foo":1}`)
		if quiet.code != http.StatusCreated || len(quiet.header.Values("Warning")) > 0 {
			t.Errorf("ignored fields: %d, %v", quiet.code, quiet.header.Values("Warning"))
		}
	})
}
