// Package endpoint keeps the old v1 Endpoints object beside each selecting Service, for readers that do not know
// EndpointSlices. It holds at most a thousand addresses and is never read by our own rooms.
package endpoint

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

const (
	managedByLabel = "endpoints.kubernetes.io/managed-by"
	managedBy      = "endpoint-controller"
	truncated      = "truncated"
)

type reconciler struct {
	client    kubernetes.Interface
	events    record.EventRecorder
	expect    *controller.Expectations
	services  corelisters.ServiceLister
	pods      corelisters.PodLister
	endpoints corelisters.EndpointsLister
	store     cache.Indexer
}

// New makes the endpoint controller.
func New(c controller.Context) *controller.Controller {
	core := c.Informers.Core().V1()
	r := &reconciler{
		client:    c.As("endpoint-controller"),
		events:    c.Recorder("endpoint-controller"),
		expect:    controller.NewExpectations(),
		services:  core.Services().Lister(),
		pods:      core.Pods().Lister(),
		endpoints: core.Endpoints().Lister(),
		store:     core.Endpoints().Informer().GetIndexer(),
	}
	return controller.New("endpoint", r.reconcile,
		controller.For(core.Services()),
		controller.WatchesChange(core.Pods(), controller.ServicesOf(r.services)),
		controller.Watches(core.Endpoints(), ours),
		controller.Expecting(r.expect))
}

// ours wakes the service of Endpoints that this controller made, at the start and when they were changed or removed.
func ours(obj metav1.Object) []types.NamespacedName {
	if obj.GetLabels()[managedByLabel] != managedBy {
		return nil
	}
	return []types.NamespacedName{controller.Key(obj)}
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	client := r.client.CoreV1().Endpoints(key.Namespace)
	current, err := r.endpoints.Endpoints(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		current = nil
	} else if err != nil {
		return controller.Result{}, err
	}
	service, err := r.services.Services(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		r.expect.Forget(key)
		if current == nil {
			return controller.Result{}, nil
		}
		if err := client.Delete(ctx, key.Name, metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
			return controller.Result{}, err
		}
		return controller.Result{}, nil
	}
	if err != nil || service.Spec.Type == corev1.ServiceTypeExternalName || service.Spec.Selector == nil {
		return controller.Result{}, err
	}
	pods, err := r.pods.Pods(key.Namespace).List(labels.SelectorFromValidatedSet(service.Spec.Selector))
	if err != nil {
		return controller.Result{}, err
	}
	next := desired(service, pods, current)
	if current != nil && same(current, next) {
		return controller.Result{}, nil
	}
	var written *corev1.Endpoints
	reason, what := "FailedToUpdateEndpoint", "Failed to update endpoint %v/%v: %v"
	if current == nil {
		reason, what = "FailedToCreateEndpoint", "Failed to create endpoint for service %v/%v: %v"
		written, err = client.Create(ctx, next, metav1.CreateOptions{})
	} else {
		written, err = client.Update(ctx, next, metav1.UpdateOptions{})
	}
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return controller.Result{}, nil
	case err != nil:
		r.events.Eventf(next, corev1.EventTypeWarning, reason, what, service.Namespace, service.Name, err)
		return controller.Result{}, err
	}
	r.expect.Wrote(key, r.store, written)
	return controller.Result{}, nil
}

// desired is the Endpoints object that a service should have; current gives what others wrote into it.
func desired(s *corev1.Service, pods []*corev1.Pod, current *corev1.Endpoints) *corev1.Endpoints {
	next := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name}}
	if current != nil {
		next = current.DeepCopy()
	}
	next.Labels = map[string]string{}
	maps.Copy(next.Labels, s.Labels)
	delete(next.Labels, corev1.IsHeadlessService)
	if controller.IsHeadless(s) {
		next.Labels[corev1.IsHeadlessService] = ""
	}
	next.Labels[managedByLabel] = managedBy
	next.Subsets = subsets(s, pods)
	delete(next.Annotations, corev1.EndpointsOverCapacity)
	if truncate(next.Subsets) {
		if next.Annotations == nil {
			next.Annotations = map[string]string{}
		}
		next.Annotations[corev1.EndpointsOverCapacity] = truncated
	}
	return next
}

func same(a, b *corev1.Endpoints) bool {
	return maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations) &&
		slices.EqualFunc(a.Subsets, b.Subsets, func(x, y corev1.EndpointSubset) bool { return apiequality.Semantic.DeepEqual(x, y) })
}
