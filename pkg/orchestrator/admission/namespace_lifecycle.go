package admission

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// NamespaceLifecycle lets nothing be created in a namespace that is missing or going away, and keeps the namespaces that a
// cluster cannot be without.
type NamespaceLifecycle struct{ reader Reader }

// NewNamespaceLifecycle makes the plugin.
func NewNamespaceLifecycle(reader Reader) *NamespaceLifecycle { return &NamespaceLifecycle{reader} }

// Name is upstream's.
func (*NamespaceLifecycle) Name() string { return "NamespaceLifecycle" }

// Admit judges before the other plugins change anything, as upstream does.
func (n *NamespaceLifecycle) Admit(ctx context.Context, r *Request) error {
	if r.Kind.GroupResource() == (schema.GroupResource{Resource: "namespaces"}) {
		if r.Verb == Delete && r.Subresource == "" && immortal(r.Name) {
			return r.forbidden("this namespace may not be deleted")
		}
		return nil
	}
	if r.Namespace == "" || r.Verb != Create || isAccessReview(r) {
		return nil
	}
	obj, err := n.reader.Get(ctx, schema.GroupResource{Resource: "namespaces"}, "", r.Namespace)
	switch {
	case apierrors.IsNotFound(err):
		return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, r.Namespace)
	case err != nil:
		return apierrors.NewInternalError(err)
	}
	if ns, ok := obj.(*corev1.Namespace); !ok || ns.Status.Phase != corev1.NamespaceTerminating {
		return nil
	}
	refused := apierrors.NewForbidden(r.Kind.GroupResource(), r.displayName(),
		errors.New("unable to create new content in namespace "+r.Namespace+" because it is being terminated"))
	refused.ErrStatus.Details.Causes = append(refused.ErrStatus.Details.Causes, metav1.StatusCause{
		Type:    corev1.NamespaceTerminatingCause,
		Message: fmt.Sprintf("namespace %s is being terminated", r.Namespace),
		Field:   "metadata.namespace",
	})
	return refused
}

func immortal(name string) bool {
	switch name {
	case metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic, corev1.NamespaceNodeLease:
		return true
	}
	return false
}

// isAccessReview holds for questions about one's rights: their answer may not tell whether a namespace exists.
func isAccessReview(r *Request) bool {
	return r.Kind.GroupResource() == schema.GroupResource{Group: "authorization.k8s.io", Resource: "localsubjectaccessreviews"}
}
