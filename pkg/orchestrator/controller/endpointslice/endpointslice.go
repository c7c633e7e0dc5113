// Package endpointslice keeps each selecting Service's EndpointSlices equal to the pods that it selects, changing as few
// slices as it can. Slices that others manage are left alone.
package endpointslice

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
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
	managedBy = "endpointslice-controller.k8s.io"
	byService = "endpointSlicesByService"
	// missingNode is when to look again for a node that a pod is bound to and that is not known.
	missingNode = time.Second
)

type reconciler struct {
	client   kubernetes.Interface
	events   record.EventRecorder
	expect   *controller.Expectations
	services corelisters.ServiceLister
	pods     corelisters.PodLister
	nodes    corelisters.NodeLister
	slices   cache.Indexer
}

// New makes the endpointslice controller.
func New(c controller.Context) *controller.Controller {
	core := c.Informers.Core().V1()
	slices := c.Informers.Discovery().V1().EndpointSlices()
	// the informer is not running yet, so that adding an index cannot fail
	_ = slices.Informer().AddIndexers(cache.Indexers{byService: serviceOf})
	r := &reconciler{
		client:   c.As("endpointslice-controller"),
		events:   c.Recorder("endpoint-slice-controller"),
		expect:   controller.NewExpectations(),
		services: core.Services().Lister(),
		pods:     core.Pods().Lister(),
		nodes:    core.Nodes().Lister(),
		slices:   slices.Informer().GetIndexer(),
	}
	return controller.New("endpointslice", r.reconcile,
		controller.For(core.Services()),
		controller.WatchesChange(core.Pods(), controller.ServicesOf(r.services)),
		controller.Watches(slices, keyOf),
		controller.Reads(core.Nodes()),
		controller.Expecting(r.expect))
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	service, err := r.services.Services(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		r.expect.Forget(key) // the slices belong to the service and go with it
		return controller.Result{}, nil
	}
	if err != nil || service.Spec.Type == corev1.ServiceTypeExternalName || service.Spec.Selector == nil {
		return controller.Result{}, err
	}
	pods, err := r.pods.Pods(key.Namespace).List(labels.SelectorFromValidatedSet(service.Spec.Selector))
	if err != nil {
		return controller.Result{}, err
	}
	existing, err := r.existing(key)
	if err != nil {
		return controller.Result{}, err
	}
	wanted, missing := desired(service, pods, r.node)
	if err := r.act(ctx, service, makePlan(service, wanted, existing)); err != nil {
		if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return controller.Result{}, nil
		}
		r.events.Eventf(service, corev1.EventTypeWarning, "FailedToUpdateEndpointSlices",
			"Error updating Endpoint Slices for Service %s/%s: %v", service.Namespace, service.Name, err)
		return controller.Result{}, err
	}
	if missing {
		return controller.Result{After: missingNode}, nil
	}
	return controller.Result{}, nil
}

func (r *reconciler) existing(key types.NamespacedName) ([]*discoveryv1.EndpointSlice, error) {
	objs, err := r.slices.ByIndex(byService, key.String())
	if err != nil {
		return nil, fmt.Errorf("list endpoint slices of service %s: %w", key, err)
	}
	var found []*discoveryv1.EndpointSlice
	for _, obj := range objs {
		if slice := obj.(*discoveryv1.EndpointSlice); slice.DeletionTimestamp == nil {
			found = append(found, slice)
		}
	}
	return found, nil
}

func (r *reconciler) node(name string) *corev1.Node {
	node, err := r.nodes.Get(name)
	if err != nil {
		return nil
	}
	return node
}

func (r *reconciler) act(ctx context.Context, service *corev1.Service, p plan) error {
	client, key := r.client.DiscoveryV1().EndpointSlices(service.Namespace), controller.Key(service)
	if service.DeletionTimestamp == nil {
		for _, slice := range p.create {
			created, err := client.Create(ctx, slice, metav1.CreateOptions{})
			if err != nil {
				return fmt.Errorf("failed to create EndpointSlice for Service %s/%s: %w", service.Namespace, service.Name, err)
			}
			r.expect.Wrote(key, r.slices, created)
		}
	}
	for _, slice := range p.update {
		updated, err := client.Update(ctx, slice, metav1.UpdateOptions{})
		if err != nil {
			return fmt.Errorf("failed to update %s EndpointSlice for Service %s/%s: %w", slice.Name, service.Namespace, service.Name, err)
		}
		r.expect.Wrote(key, r.slices, updated)
	}
	for _, slice := range p.remove {
		err := client.Delete(ctx, slice.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("failed to delete %s EndpointSlice for Service %s/%s: %w", slice.Name, service.Namespace, service.Name, err)
		}
		r.expect.Deleted(key, r.slices, slice)
	}
	return nil
}

// keyOf wakes the service of a slice that is ours.
func keyOf(obj metav1.Object) []types.NamespacedName {
	if name := obj.GetLabels()[discoveryv1.LabelServiceName]; name != "" && obj.GetLabels()[discoveryv1.LabelManagedBy] == managedBy {
		return []types.NamespacedName{{Namespace: obj.GetNamespace(), Name: name}}
	}
	return nil
}

func serviceOf(obj any) ([]string, error) {
	var values []string
	for _, key := range keyOf(obj.(metav1.Object)) {
		values = append(values, key.String())
	}
	return values, nil
}
