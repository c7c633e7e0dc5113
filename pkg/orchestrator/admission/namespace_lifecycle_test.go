package admission

import (
	"errors"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/api"
)

func TestNamespaceLifecycle(t *testing.T) {
	ending := &corev1.Namespace{ObjectMeta: meta("", "ending")}
	ending.Status.Phase = corev1.NamespaceTerminating
	plugin := NewNamespaceLifecycle(stored{
		"namespaces//shop": &corev1.Namespace{ObjectMeta: meta("", "shop")}, "namespaces//ending": ending,
	})
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c"}}
	generated := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "c-"}}
	for _, c := range []struct {
		name string
		r    Request
		want string
	}{
		{"create in a namespace", Request{Kind: configMapKind, Verb: Create, Namespace: "shop", Object: cm}, ""},
		{"create in a missing one", Request{Kind: configMapKind, Verb: Create, Namespace: "nope", Object: cm}, `namespaces "nope" not found`},
		{"create in an ending one", Request{Kind: configMapKind, Verb: Create, Namespace: "ending", Object: cm},
			`configmaps "c" is forbidden: unable to create new content in namespace ending because it is being terminated`},
		{"generate in an ending one", Request{Kind: deploymentKind, Verb: Create, Namespace: "ending", Object: generated},
			`deployments.apps "c-" is forbidden: unable to create new content in namespace ending because it is being terminated`},
		{"update in an ending one", Request{Kind: configMapKind, Verb: Update, Namespace: "ending", Object: cm, Old: cm}, ""},
		{"delete in an ending one", Request{Kind: configMapKind, Verb: Delete, Namespace: "ending", Name: "c"}, ""},
		{"a question about rights in a missing one", Request{Kind: reviewKind, Verb: Create, Namespace: "nope"}, ""},
		{"create a node", Request{Kind: nodeKind, Verb: Create, Object: &corev1.Node{}}, ""},
		{"create a namespace", Request{Kind: namespaceKind, Verb: Create, Name: "new", Namespace: "new"}, ""},
		{"delete a namespace", Request{Kind: namespaceKind, Verb: Delete, Name: "shop"}, ""},
		{"delete default", Request{Kind: namespaceKind, Verb: Delete, Name: "default"}, `namespaces "default" is forbidden: this namespace may not be deleted`},
		{"delete kube-system", Request{Kind: namespaceKind, Verb: Delete, Name: "kube-system"}, `namespaces "kube-system" is forbidden: this namespace may not be deleted`},
		{"delete kube-public", Request{Kind: namespaceKind, Verb: Delete, Name: "kube-public"}, `namespaces "kube-public" is forbidden: this namespace may not be deleted`},
		{"delete kube-node-lease", Request{Kind: namespaceKind, Verb: Delete, Name: "kube-node-lease"}, `namespaces "kube-node-lease" is forbidden: this namespace may not be deleted`},
	} {
		t.Run(c.name, func(t *testing.T) { wantRefusal(t, plugin.Admit(t.Context(), &c.r), c.want) })
	}
}

// TestTerminatingCause: controllers tell by the cause that it is no use to try again.
func TestTerminatingCause(t *testing.T) {
	ns := &corev1.Namespace{ObjectMeta: meta("", "ending")}
	ns.Status.Phase = corev1.NamespaceTerminating
	var object api.Object = &corev1.ConfigMap{}
	err := NewNamespaceLifecycle(stored{"namespaces//ending": ns}).Admit(t.Context(), &Request{Kind: configMapKind, Verb: Create, Namespace: "ending", Object: object})
	var status *apierrors.StatusError
	if !errors.As(err, &status) || status.ErrStatus.Code != http.StatusForbidden || !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		t.Fatalf("got %#v", err)
	}
	cause := status.ErrStatus.Details.Causes[0]
	if cause.Message != "namespace ending is being terminated" || cause.Field != "metadata.namespace" {
		t.Errorf("got %+v", cause)
	}
}
