package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

// step is one request and the error that it must bring; empty for success.
type step struct {
	name string
	do   func() error
	want string
}

func run(t *testing.T, steps []step) {
	t.Helper()
	for _, s := range steps {
		err := s.do()
		switch {
		case err == nil && s.want != "":
			t.Errorf("%s: it passed, want %q", s.name, s.want)
		case err != nil && (s.want == "" || !strings.Contains(err.Error(), s.want)):
			t.Errorf("%s: got %q, want %q", s.name, err, s.want)
		}
	}
}

// withRights is a cluster that authorizes and admits as a real one does, and signs tokens.
func withRights(t *testing.T, key *auth.TokenKey) *clustertest.Cluster {
	return clustertest.With(t, func(c *apiserver.Config) {
		read := apiserver.NewReader(c.Store)
		c.Authorizer, c.Admission = auth.NewRights(read), admission.Default(read)
		c.Issuer = key.Issuer()
		c.TokenReviewer = auth.NewServiceAccountTokens(key, read).Review
		c.SignToken = func(ctx context.Context, r apiserver.TokenRequest) (string, error) {
			b, err := auth.Bind(ctx, read, r.Namespace, auth.Ref{Name: r.Name, UID: r.UID}, r.BoundKind, auth.Ref{Name: r.BoundName, UID: r.BoundUID})
			if err != nil {
				return "", err
			}
			return key.Sign(b, r.Audiences, r.Expires)
		}
	}, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "default"}})
}

func podOf(name, node, secret string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	p.Spec.NodeName = node
	p.Spec.Containers = []corev1.Container{{Name: "c", Image: "i", EnvFrom: []corev1.EnvFromSource{{
		SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: secret}},
	}}}}
	return p
}

// TestNodeInACluster is a node agent's day, against the real API server.
func TestNodeInACluster(t *testing.T) {
	key, err := auth.LoadOrCreateTokenKey(t.TempDir(), "https://kubernetes.default.svc.cluster.local")
	if err != nil {
		t.Fatal(err)
	}
	c := withRights(t, key)
	ctx := c.Context()
	c.Create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "mine"}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "theirs"}},
		podOf("web-1", "n1", "mine"), podOf("web-2", "n2", "theirs"))
	n1 := c.ClientFor(auth.Node("n1"))
	mine := metav1.ListOptions{FieldSelector: "spec.nodeName=n1"}
	run(t, []step{
		{"register", func() error {
			_, err := n1.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}, metav1.CreateOptions{})
			return err
		}, ""},
		{"register another", func() error {
			_, err := n1.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n2"}}, metav1.CreateOptions{})
			return err
		}, `nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"`},
		{"tainted", func() error {
			n, err := n1.CoreV1().Nodes().Get(ctx, "n1", metav1.GetOptions{})
			if err == nil && (len(n.Spec.Taints) != 1 || n.Spec.Taints[0].Key != corev1.TaintNodeNotReady) {
				t.Errorf("a new node has the taints %v", n.Spec.Taints)
			}
			return err
		}, ""},
		{"own pods", func() error {
			l, err := n1.CoreV1().Pods("").List(ctx, mine)
			if err == nil && (len(l.Items) != 1 || l.Items[0].Name != "web-1") {
				t.Errorf("node n1 sees %d pods", len(l.Items))
			}
			return err
		}, ""},
		{"all pods", func() error { _, err := n1.CoreV1().Pods("").List(ctx, metav1.ListOptions{}); return err },
			`pods is forbidden: User "system:node:n1" cannot list resource "pods" in API group "" at the cluster scope: can only list/watch pods with spec.nodeName field selector`},
		{"lease", func() error {
			_, err := n1.CoordinationV1().Leases("kube-node-lease").Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}, metav1.CreateOptions{})
			return err
		}, ""},
		{"a secret of its pod", func() error { _, err := n1.CoreV1().Secrets("shop").Get(ctx, "mine", metav1.GetOptions{}); return err }, ""},
		{"another's secret", func() error {
			_, err := n1.CoreV1().Secrets("shop").Get(ctx, "theirs", metav1.GetOptions{})
			return err
		},
			`secrets "theirs" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the namespace "shop": no relationship found between node 'n1' and this object`},
		{"delete another's pod", func() error { return n1.CoreV1().Pods("shop").Delete(ctx, "web-2", metav1.DeleteOptions{}) },
			`pods "web-2" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself`},
		{"a token of another's pod", func() error { _, err := tokenOf(ctx, n1, c.Client(), "web-2"); return err }, "different node"},
	})
	token, err := tokenOf(ctx, n1, c.Client(), "web-1")
	if err != nil {
		t.Fatal(err)
	}
	verifyPodToken(t, c, key, token)
}

func tokenOf(ctx context.Context, node, admin kubernetes.Interface, pod string) (string, error) {
	p, err := admin.CoreV1().Pods("shop").Get(ctx, pod, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	r, err := node.CoreV1().ServiceAccounts("shop").CreateToken(ctx, "default", &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod, UID: p.UID},
	}}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return r.Status.Token, nil
}

// verifyPodToken: the token is its pod's until the pod is gone.
func verifyPodToken(t *testing.T, c *clustertest.Cluster, key *auth.TokenKey, token string) {
	t.Helper()
	a := auth.NewServiceAccountTokens(key, apiserver.NewReader(c.Store))
	r := httptest.NewRequestWithContext(c.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	user, err := a.Authenticate(r)
	if err != nil {
		t.Fatal(err)
	}
	if user.Name != "system:serviceaccount:shop:default" || user.Extra["authentication.kubernetes.io/node-name"][0] != "n1" {
		t.Errorf("the token is %+v's", user)
	}
	if err := c.ClientFor(auth.Node("n1")).CoreV1().Pods("shop").Delete(c.Context(), "web-1", metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(r); err == nil || err.Error() != "service account token has been invalidated" {
		t.Errorf("after its pod, the token got %v", err)
	}
}

// TestUsersInACluster: who may what, in the API server's words.
func TestUsersInACluster(t *testing.T) {
	key, err := auth.LoadOrCreateTokenKey(t.TempDir(), "https://kubernetes.default.svc.cluster.local")
	if err != nil {
		t.Fatal(err)
	}
	c := withRights(t, key)
	ctx := c.Context()
	jane := c.ClientFor(auth.ControlPlane("jane"))
	deployments := c.ClientFor(auth.ServiceAccount("kube-system", "deployment-controller", ""))
	run(t, []step{
		{"jane lists", func() error { _, err := jane.CoreV1().Pods("default").List(ctx, metav1.ListOptions{}); return err },
			`pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"`},
		{"jane looks up a name", func() error {
			_, err := jane.AppsV1().Deployments("default").Get(ctx, "x", metav1.GetOptions{})
			return err
		},
			`deployments.apps "x" is forbidden: User "jane" cannot get resource "deployments" in API group "apps" in the namespace "default"`},
		{"jane discovers", func() error { _, err := jane.Discovery().ServerVersion(); return err }, ""},
		{"jane asks for groups", func() error { _, err := jane.Discovery().ServerGroups(); return err }, ""},
		{"jane asks who she is", func() error {
			r, err := jane.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
			if err == nil && r.Status.UserInfo.Username != "jane" {
				t.Errorf("jane is told that she is %q", r.Status.UserInfo.Username)
			}
			return err
		}, ""},
		{"a controller lists", func() error {
			_, err := deployments.AppsV1().ReplicaSets("").List(ctx, metav1.ListOptions{})
			return err
		}, ""},
		{"the owner makes a pod in a missing namespace", func() error {
			_, err := c.Client().CoreV1().Pods("nope").Create(ctx, podOf("x", "", "s"), metav1.CreateOptions{})
			return err
		}, "the namespace of the provided object does not match"},
		{"the owner deletes kube-system", func() error {
			return c.Client().CoreV1().Namespaces().Delete(ctx, "kube-system", metav1.DeleteOptions{})
		},
			`namespaces "kube-system" is forbidden: this namespace may not be deleted`},
	})
}
