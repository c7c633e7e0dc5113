// Package endpointslicemirroring copies Endpoints that people write by hand, for Services without a selector, into
// EndpointSlices, which is all that the network reads. Slices written by hand are left alone.
package endpointslicemirroring

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

const (
	managedBy = "endpointslicemirroring-controller.k8s.io"
	byService = "mirroredSlicesByService"
	leader    = "control-plane.alpha.kubernetes.io/leader"
)

type reconciler struct {
	client    kubernetes.Interface
	events    record.EventRecorder
	expect    *controller.Expectations
	services  corelisters.ServiceLister
	endpoints corelisters.EndpointsLister
	slices    cache.Indexer
}

// New makes the endpointslicemirroring controller.
func New(c controller.Context) *controller.Controller {
	core, slices := c.Informers.Core().V1(), c.Informers.Discovery().V1().EndpointSlices()
	// the informer is not running yet, so that adding an index cannot fail
	_ = slices.Informer().AddIndexers(cache.Indexers{byService: func(obj any) ([]string, error) {
		var values []string
		for _, key := range mirrored(obj.(metav1.Object)) {
			values = append(values, key.String())
		}
		return values, nil
	}})
	r := &reconciler{
		client:    c.As("endpointslicemirroring-controller"),
		events:    c.Recorder("endpoint-slice-mirroring-controller"),
		expect:    controller.NewExpectations(),
		services:  core.Services().Lister(),
		endpoints: core.Endpoints().Lister(),
		slices:    slices.Informer().GetIndexer(),
	}
	return controller.New("endpointslicemirroring", r.reconcile,
		controller.For(core.Endpoints()),
		controller.For(core.Services()),
		controller.Watches(slices, mirrored),
		controller.Expecting(r.expect))
}

// mirrored wakes the service of a slice that this controller made.
func mirrored(obj metav1.Object) []types.NamespacedName {
	labels := obj.GetLabels()
	if labels[discoveryv1.LabelManagedBy] != managedBy || labels[discoveryv1.LabelServiceName] == "" {
		return nil
	}
	return []types.NamespacedName{{Namespace: obj.GetNamespace(), Name: labels[discoveryv1.LabelServiceName]}}
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	objs, err := r.slices.ByIndex(byService, key.String())
	if err != nil {
		return controller.Result{}, err
	}
	var existing []*discoveryv1.EndpointSlice
	for _, obj := range objs {
		existing = append(existing, obj.(*discoveryv1.EndpointSlice))
	}
	endpoints, err := r.source(key)
	if err != nil {
		return controller.Result{}, err
	}
	if endpoints == nil {
		if len(existing) == 0 {
			r.expect.Forget(key)
		}
		return controller.Result{}, r.act(ctx, key, plan{remove: existing})
	}
	wanted, skipped, invalid := desired(endpoints)
	if invalid > 0 {
		r.events.Eventf(endpoints, corev1.EventTypeWarning, "InvalidIPAddress", "Skipped %d invalid IP addresses when mirroring to EndpointSlices", invalid)
	}
	if skipped > 0 {
		r.events.Eventf(endpoints, corev1.EventTypeWarning, "TooManyAddressesToMirror",
			"A max of %d addresses can be mirrored to EndpointSlices per Endpoints subset. %d addresses were skipped", maxEndpoints, skipped)
	}
	return controller.Result{}, r.act(ctx, key, makePlan(endpoints, wanted, existing))
}

// source gives the Endpoints to mirror, nil if there is nothing to mirror: they are not for a service without a selector, or
// ask to be left out.
func (r *reconciler) source(key types.NamespacedName) (*corev1.Endpoints, error) {
	service, err := r.services.Services(key.Namespace).Get(key.Name)
	if err != nil || service.Spec.Selector != nil {
		return nil, controller.IgnoreGone(err)
	}
	endpoints, err := r.endpoints.Endpoints(key.Namespace).Get(key.Name)
	if err != nil {
		return nil, controller.IgnoreGone(err)
	}
	if _, ok := endpoints.Annotations[leader]; ok || endpoints.Labels[discoveryv1.LabelSkipMirror] == "true" {
		return nil, nil
	}
	return endpoints, nil
}

func (r *reconciler) act(ctx context.Context, key types.NamespacedName, p plan) error {
	client := r.client.DiscoveryV1().EndpointSlices(key.Namespace)
	for _, slice := range p.create {
		created, err := client.Create(ctx, slice, metav1.CreateOptions{})
		if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("failed to create EndpointSlice for Endpoints %s: %w", key, err)
		}
		r.expect.Wrote(key, r.slices, created)
	}
	for _, slice := range p.update {
		updated, err := client.Update(ctx, slice, metav1.UpdateOptions{})
		if err != nil {
			return fmt.Errorf("failed to update %s EndpointSlice for Endpoints %s: %w", slice.Name, key, err)
		}
		r.expect.Wrote(key, r.slices, updated)
	}
	for _, slice := range p.remove {
		if err := client.Delete(ctx, slice.Name, metav1.DeleteOptions{}); controller.IgnoreGone(err) != nil {
			return fmt.Errorf("failed to delete %s EndpointSlice for Endpoints %s: %w", slice.Name, key, err)
		}
		r.expect.Deleted(key, r.slices, slice)
	}
	return nil
}
