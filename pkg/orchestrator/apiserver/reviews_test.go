package apiserver_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

// mapsOnly lets masters do everything and everybody else read config maps.
type mapsOnly struct{}

func (mapsOnly) Authorize(_ context.Context, a auth.Attributes) (bool, string, error) {
	if a.User.In(auth.GroupMasters) {
		return true, "", nil
	}
	return a.Resource == "configmaps" && (a.Verb == "get" || a.Verb == "list"), "", nil
}

func withRights(t *testing.T, f func(c *clustertest.Cluster)) {
	synctest.Test(t, func(t *testing.T) {
		f(clustertest.With(t, func(c *apiserver.Config) {
			c.Authorizer = mapsOnly{}
			c.TokenReviewer = func(_ context.Context, token string, _ []string) (*auth.User, []string, error) {
				if token == "good" {
					return &auth.User{Name: "token-user"}, []string{"api"}, nil
				}
				return nil, nil, errors.New("invalid token")
			}
		}))
	})
}

func TestForbidden(t *testing.T) {
	withRights(t, func(c *clustertest.Cluster) {
		client := http.Client{Transport: c.Config(auth.User{Name: "jane"}).Transport}
		r := raw{t, &client}
		for _, tt := range []struct{ method, path, want string }{
			{"GET", "/api/v1/namespaces/default/configmaps", ""},
			{"GET", "/api/v1/namespaces/default/pods", `pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"`},
			{"GET", "/api/v1/namespaces/default/pods/a", `pods "a" is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "default"`},
			{"GET", "/api/v1/nodes", `nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope`},
			{"DELETE", "/apis/apps/v1/namespaces/x/deployments", `deployments.apps is forbidden: User "jane" cannot deletecollection resource "deployments" in API group "apps" in the namespace "x"`},
			{"GET", "/api/v1/namespaces/x/pods/a/exec", `pods "a" is forbidden: User "jane" cannot get resource "pods/exec" in API group "" in the namespace "x"`},
			{"GET", "/metrics", `forbidden: User "jane" cannot get path "/metrics"`},
		} {
			got := r.do(tt.method, tt.path, "")
			if tt.want == "" {
				if got.code != http.StatusOK {
					t.Errorf("%s %s: %d %s", tt.method, tt.path, got.code, got.body)
				}
				continue
			}
			if got.code != http.StatusForbidden || !strings.Contains(got.body, `"message":`+quote(tt.want)) {
				t.Errorf("%s %s:\n got %d %s\nwant %s", tt.method, tt.path, got.code, got.body, tt.want)
			}
		}
	})
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func TestReviews(t *testing.T) {
	withRights(t, func(c *clustertest.Cluster) {
		r := newRaw(t, c)
		const authn, authz = "/apis/authentication.k8s.io/v1/", "/apis/authorization.k8s.io/v1/"
		for _, tt := range []struct{ path, body, want string }{
			{authn + "selfsubjectreviews", `{}`, `"username":"kubernetes-admin","groups":["system:masters","system:authenticated"]`},
			{authn + "tokenreviews", `{"spec":{"token":"good"}}`, `"status":{"authenticated":true,"user":{"username":"token-user"},"audiences":["api"]}`},
			{authn + "tokenreviews", `{"spec":{"token":"bad"}}`, `"status":{"user":{},"error":"invalid token"}`},
			{authz + "selfsubjectaccessreviews", `{"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}`, `"status":{"allowed":true}`},
			{authz + "subjectaccessreviews", `{"spec":{"user":"jane","resourceAttributes":{"verb":"get","resource":"pods"}}}`, `"status":{"allowed":false}`},
			{authz + "subjectaccessreviews", `{"spec":{"user":"jane","resourceAttributes":{"verb":"get","resource":"configmaps"}}}`, `"status":{"allowed":true}`},
			{authz + "subjectaccessreviews", `{"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}`, `at least one of user or group must be specified`},
			{authz + "namespaces/x/localsubjectaccessreviews", `{"spec":{"user":"jane","resourceAttributes":{"namespace":"y","verb":"get","resource":"pods"}}}`, `must match metadata.namespace`},
		} {
			if got := r.do(http.MethodPost, tt.path, tt.body); !strings.Contains(got.body, tt.want) {
				t.Errorf("%s %s:\n got %d %s\nwant …%s…", tt.path, tt.body, got.code, got.body, tt.want)
			}
		}
		curl := r.do(http.MethodPost, authz+"selfsubjectaccessreviews", `{"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}`, "User-Agent", "curl/8")
		if !strings.Contains(curl.body, "\"allowed\": true") {
			t.Errorf("for people: %s", curl.body)
		}
	})
}

func TestImpersonation(t *testing.T) {
	withRights(t, func(c *clustertest.Cluster) {
		r := newRaw(t, c)
		who := func(headers ...string) string {
			return r.do(http.MethodPost, "/apis/authentication.k8s.io/v1/selfsubjectreviews", `{}`, headers...).body
		}
		// jane may not ask who she is: the authorizer of this test allows her config maps only.
		if got := who("Impersonate-User", "jane", "Impersonate-Group", auth.GroupMasters, "Impersonate-Extra-Scopes", "x"); !strings.Contains(got,
			`"username":"jane","groups":["system:masters","system:authenticated"],"extra":{"scopes":["x"]}`) {
			t.Errorf("impersonated: %s", got)
		}
		if got := who("Impersonate-Group", "g"); !strings.Contains(got, "without impersonating a user") {
			t.Errorf("a group without a user: %s", got)
		}
		jane := raw{t, &http.Client{Transport: c.Config(auth.User{Name: "jane"}).Transport}}
		got := jane.do(http.MethodGet, "/api/v1/namespaces/default/configmaps", "", "Impersonate-User", "root")
		if got.code != http.StatusForbidden || !strings.Contains(got.body, `User \"jane\" cannot impersonate resource \"users\"`) {
			t.Errorf("jane as root: %d %s", got.code, got.body)
		}
	})
}
