// Package service gives Services of type LoadBalancer their addresses, out of a configured range, and takes them back. It
// moves no packets: the network room programs what the status says.
package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
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

// finalizer keeps a Service until its address is free again.
const finalizer = "service.kubernetes.io/load-balancer-cleanup"

type reconciler struct {
	client   kubernetes.Interface
	events   record.EventRecorder
	expect   *controller.Expectations
	services corelisters.ServiceLister
	store    cache.Indexer
	pool     netip.Prefix
	// given remembers what the informer may not show yet; only the one worker touches it
	given map[types.NamespacedName]netip.Addr
}

// New makes the load balancer controller.
func New(c controller.Context) *controller.Controller {
	services := c.Informers.Core().V1().Services()
	r := &reconciler{
		client:   c.As("service-controller"),
		events:   c.Recorder("service-controller"),
		expect:   controller.NewExpectations(),
		services: services.Lister(),
		store:    services.Informer().GetIndexer(),
		pool:     c.Config.LoadBalancerRange,
		given:    map[types.NamespacedName]netip.Addr{},
	}
	return controller.New("service", r.reconcile,
		controller.For(services),
		controller.Expecting(r.expect),
		controller.Workers(1)) // two at once could give one address twice
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	s, err := r.services.Services(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		r.expect.Forget(key)
		delete(r.given, key)
		return controller.Result{}, nil
	}
	if err != nil {
		return controller.Result{}, err
	}
	switch wants := wantsBalancer(s); {
	case !wants && slices.Contains(s.Finalizers, finalizer):
		err = r.release(ctx, s)
	case wants:
		err = r.ensure(ctx, s)
	}
	if err != nil && !controller.Expected(err) {
		r.events.Eventf(s, corev1.EventTypeWarning, "SyncLoadBalancerFailed", "Error syncing load balancer: %v", err)
	}
	return controller.Result{}, err
}

func (r *reconciler) ensure(ctx context.Context, s *corev1.Service) error {
	others, err := r.used(s)
	if err != nil {
		return err
	}
	if done(s, others) {
		return nil
	}
	r.events.Event(s, corev1.EventTypeNormal, "EnsuringLoadBalancer", "Ensuring load balancer")
	addr, err := choose(s, r.pool, others)
	if err != nil {
		return fmt.Errorf("failed to ensure load balancer: %w", err)
	}
	r.given[controller.Key(s)] = addr
	if !slices.Contains(s.Finalizers, finalizer) {
		if s, err = r.patch(ctx, s, append(slices.Clone(s.Finalizers), finalizer)); err != nil {
			return fmt.Errorf("failed to add load balancer cleanup finalizer: %w", err)
		}
	}
	mode := corev1.LoadBalancerIPModeVIP
	if err := r.report(ctx, s, corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: addr.String(), IPMode: &mode}}}); err != nil {
		return fmt.Errorf("failed to update load balancer status: %w", err)
	}
	r.events.Event(s, corev1.EventTypeNormal, "EnsuredLoadBalancer", "Ensured load balancer")
	return nil
}

func (r *reconciler) release(ctx context.Context, s *corev1.Service) error {
	r.events.Event(s, corev1.EventTypeNormal, "DeletingLoadBalancer", "Deleting load balancer")
	if len(s.Status.LoadBalancer.Ingress) > 0 {
		if err := r.report(ctx, s, corev1.LoadBalancerStatus{}); err != nil {
			return fmt.Errorf("failed to update load balancer status: %w", err)
		}
	}
	rest := slices.DeleteFunc(slices.Clone(s.Finalizers), func(f string) bool { return f == finalizer })
	if _, err := r.patch(ctx, s, rest); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("failed to remove load balancer cleanup finalizer: %w", err)
	}
	delete(r.given, controller.Key(s))
	r.events.Event(s, corev1.EventTypeNormal, "DeletedLoadBalancer", "Deleted load balancer")
	return nil
}

// patch sets the finalizers.
func (r *reconciler) patch(ctx context.Context, s *corev1.Service, finalizers []string) (*corev1.Service, error) {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": s.UID, "finalizers": finalizers}})
	if err != nil {
		return nil, err
	}
	written, err := r.client.CoreV1().Services(s.Namespace).Patch(ctx, s.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return nil, err
	}
	if written.DeletionTimestamp == nil {
		r.expect.Wrote(controller.Key(s), r.store, written)
	}
	return written, nil
}

func (r *reconciler) report(ctx context.Context, s *corev1.Service, status corev1.LoadBalancerStatus) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": s.UID}, "status": map[string]any{"loadBalancer": map[string]any{"ingress": status.Ingress}}})
	if err != nil {
		return err
	}
	written, err := r.client.CoreV1().Services(s.Namespace).Patch(ctx, s.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil {
		return err
	}
	r.expect.Wrote(controller.Key(s), r.store, written)
	return nil
}

// used gives the addresses of the other services.
func (r *reconciler) used(s *corev1.Service) (map[netip.Addr]bool, error) {
	all, err := r.services.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	used := map[netip.Addr]bool{}
	for _, other := range all {
		if other.UID == s.UID {
			continue
		}
		for _, ingress := range other.Status.LoadBalancer.Ingress {
			if ip, err := netip.ParseAddr(ingress.IP); err == nil {
				used[ip] = true
			}
		}
	}
	for key, ip := range r.given {
		if key != controller.Key(s) {
			used[ip] = true
		}
	}
	return used, nil
}
