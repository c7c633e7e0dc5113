// Package rootcacertpublisher keeps the ConfigMap kube-root-ca.crt in every namespace, from which pods learn whom to trust
// when they speak to the API server. It watches no other ConfigMap.
package rootcacertpublisher

import (
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

const (
	name                  = "kube-root-ca.crt"
	descriptionAnnotation = "kubernetes.io/description"
	description           = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. " +
		"No other usage is guaranteed across distributions of Kubernetes clusters."
)

type reconciler struct {
	client     kubernetes.Interface
	data       map[string]string
	namespaces corelisters.NamespaceLister
	configMaps corelisters.ConfigMapLister
}

// New makes the publisher of c.Config.RootCA.
func New(c controller.Context) *controller.Controller {
	client := c.As("root-ca-cert-publisher")
	own := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTweakListOptions(func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	}))
	namespaces, configMaps := c.Informers.Core().V1().Namespaces(), own.Core().V1().ConfigMaps()
	r := &reconciler{
		client:     client,
		data:       map[string]string{"ca.crt": string(c.Config.RootCA)},
		namespaces: namespaces.Lister(),
		configMaps: configMaps.Lister(),
	}
	return controller.New("rootcacertpublisher", r.reconcile,
		controller.For(namespaces),
		controller.Watches(configMaps, func(obj metav1.Object) []types.NamespacedName {
			return []types.NamespacedName{{Name: obj.GetNamespace()}}
		}),
		controller.Starts(own))
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	namespace, err := r.namespaces.Get(key.Name)
	if apierrors.IsNotFound(err) {
		return controller.Result{}, nil
	}
	if err != nil || namespace.Status.Phase != corev1.NamespaceActive {
		return controller.Result{}, err
	}
	client := r.client.CoreV1().ConfigMaps(key.Name)
	stored, err := r.configMaps.ConfigMaps(key.Name).Get(name)
	switch {
	case apierrors.IsNotFound(err):
		_, err = client.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{descriptionAnnotation: description}},
			Data:       r.data,
		}, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return controller.Result{}, nil
		}
		return controller.Result{}, err
	case err != nil:
		return controller.Result{}, err
	case maps.Equal(stored.Data, r.data) && stored.Annotations[descriptionAnnotation] != "":
		return controller.Result{}, nil
	}
	next := stored.DeepCopy()
	next.Data = r.data
	metav1.SetMetaDataAnnotation(&next.ObjectMeta, descriptionAnnotation, description)
	_, err = client.Update(ctx, next, metav1.UpdateOptions{})
	return controller.Result{}, err
}
