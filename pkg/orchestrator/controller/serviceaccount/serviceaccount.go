// Package serviceaccount keeps a service account named default in every namespace, so that pods which name none have one.
// It makes no tokens.
package serviceaccount

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

const name = "default"

type reconciler struct {
	client     kubernetes.Interface
	namespaces corelisters.NamespaceLister
	accounts   corelisters.ServiceAccountLister
}

// New makes the serviceaccount controller.
func New(c controller.Context) *controller.Controller {
	core := c.Informers.Core().V1()
	r := &reconciler{
		client:     c.As("service-account-controller"),
		namespaces: core.Namespaces().Lister(),
		accounts:   core.ServiceAccounts().Lister(),
	}
	return controller.New("serviceaccount", r.reconcile,
		controller.For(core.Namespaces()),
		controller.Watches(core.ServiceAccounts(), func(obj metav1.Object) []types.NamespacedName {
			if obj.GetName() != name {
				return nil
			}
			return []types.NamespacedName{{Name: obj.GetNamespace()}}
		}))
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	namespace, err := r.namespaces.Get(key.Name)
	if apierrors.IsNotFound(err) {
		return controller.Result{}, nil
	}
	if err != nil || namespace.Status.Phase != corev1.NamespaceActive {
		return controller.Result{}, err
	}
	if _, err := r.accounts.ServiceAccounts(key.Name).Get(name); !apierrors.IsNotFound(err) {
		return controller.Result{}, err
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: key.Name, Name: name}}
	_, err = r.client.CoreV1().ServiceAccounts(key.Name).Create(ctx, account, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return controller.Result{}, nil
	}
	return controller.Result{}, err
}
