// Package namespace empties each namespace that is being deleted, of whatever the server says can be deleted, pods first,
// and then lets it go. It knows no kind but pods, whose grace it awaits.
package namespace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/metadata"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// finalizerEstimate is how long objects with finalizers are thought to need, in seconds, as upstream does.
const finalizerEstimate = 15

type reconciler struct {
	client     kubernetes.Interface
	metadata   metadata.Interface
	namespaces corelisters.NamespaceLister
}

// New makes the namespace controller.
func New(c controller.Context) *controller.Controller {
	core := c.Informers.Core().V1()
	r := &reconciler{client: c.As("namespace-controller"), metadata: c.Metadata, namespaces: core.Namespaces().Lister()}
	return controller.New("namespace", r.reconcile,
		controller.For(core.Namespaces()),
		controller.WatchesChange(core.Pods(), r.podGone),
		controller.Workers(10))
}

// podGone wakes a namespace that waits for its pods.
func (r *reconciler) podGone(old, obj metav1.Object) []types.NamespacedName {
	if old != nil || obj.GetDeletionTimestamp() == nil {
		return nil
	}
	namespace, err := r.namespaces.Get(obj.GetNamespace())
	if err != nil || namespace.DeletionTimestamp == nil {
		return nil
	}
	return []types.NamespacedName{{Name: namespace.Name}}
}

func (r *reconciler) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	cached, err := r.namespaces.Get(key.Name)
	if err != nil || cached.DeletionTimestamp == nil {
		return controller.Result{}, controller.IgnoreGone(err)
	}
	// the cache may lag; what is decided here cannot be undone
	namespace, err := r.client.CoreV1().Namespaces().Get(ctx, key.Name, metav1.GetOptions{})
	if err != nil || namespace.DeletionTimestamp == nil || len(namespace.Spec.Finalizers) == 0 {
		return controller.Result{}, controller.IgnoreGone(err)
	}
	if namespace.Status.Phase != corev1.NamespaceTerminating {
		namespace.Status.Phase = corev1.NamespaceTerminating
		if namespace, err = r.client.CoreV1().Namespaces().UpdateStatus(ctx, namespace, metav1.UpdateOptions{}); err != nil {
			return controller.Result{}, controller.IgnoreGone(err)
		}
	}
	found := r.empty(ctx, namespace)
	if updateConditions(&namespace.Status, found.conditions()) {
		if namespace, err = r.client.CoreV1().Namespaces().UpdateStatus(ctx, namespace, metav1.UpdateOptions{}); err != nil {
			return controller.Result{}, controller.IgnoreGone(err)
		}
	}
	if err := found.err(); err != nil {
		return controller.Result{}, err
	}
	if found.estimate > 0 {
		return controller.Result{After: time.Duration(found.estimate/2+1) * time.Second}, nil
	}
	namespace.Spec.Finalizers = slices.DeleteFunc(namespace.Spec.Finalizers, func(f corev1.FinalizerName) bool {
		return f == corev1.FinalizerKubernetes
	})
	_, err = r.client.CoreV1().Namespaces().Finalize(ctx, namespace, metav1.UpdateOptions{})
	return controller.Result{}, controller.IgnoreGone(err)
}

// empty deletes what the namespace holds: pods first, and the rest only once they are gone, since pods use it to the end.
func (r *reconciler) empty(ctx context.Context, namespace *corev1.Namespace) *findings {
	f := newFindings()
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	resources := r.discover(f)
	if slices.Contains(resources, pods) {
		grace := r.podGrace(ctx, namespace, f)
		r.remove(ctx, namespace.Name, pods, grace, f)
		if f.remaining[pods] > 0 {
			f.waiting = true
			return f
		}
	}
	for _, resource := range resources {
		if resource != pods {
			r.remove(ctx, namespace.Name, resource, 0, f)
		}
	}
	return f
}

func (r *reconciler) discover(f *findings) []schema.GroupVersionResource {
	lists, err := r.client.Discovery().ServerPreferredNamespacedResources()
	if err != nil {
		f.discovery = err
	}
	var resources []schema.GroupVersionResource
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			f.parsing = err
			continue
		}
		for _, resource := range list.APIResources {
			if slices.Contains(resource.Verbs, "delete") && slices.Contains(resource.Verbs, "list") {
				resources = append(resources, gv.WithResource(resource.Name))
			}
		}
	}
	return resources
}

// remove deletes all objects of one resource and counts what stays. grace is how long they may need, in seconds.
func (r *reconciler) remove(ctx context.Context, namespace string, resource schema.GroupVersionResource, grace int64, f *findings) {
	client := r.metadata.Resource(resource).Namespace(namespace)
	background := metav1.DeletePropagationBackground
	err := client.DeleteCollection(ctx, metav1.DeleteOptions{PropagationPolicy: &background}, metav1.ListOptions{})
	if apierrors.IsMethodNotSupported(err) || apierrors.IsNotFound(err) {
		err = r.removeEach(ctx, client, background)
	}
	if err != nil {
		f.fail(fmt.Errorf("delete %s: %w", resource.Resource, err))
		return
	}
	rest, err := client.List(ctx, metav1.ListOptions{})
	if err != nil {
		f.fail(err)
		return
	}
	if len(rest.Items) == 0 {
		return
	}
	f.remaining[resource] = len(rest.Items)
	held := false
	for i := range rest.Items {
		for _, finalizer := range rest.Items[i].Finalizers {
			f.finalizers[finalizer]++
			held = true
		}
	}
	switch {
	case grace > 0:
		f.estimate = max(f.estimate, grace)
	case held:
		f.estimate = max(f.estimate, finalizerEstimate)
	default:
		f.fail(fmt.Errorf("unexpected items still remain in namespace: %s for gvr: %v", namespace, resource))
	}
}

func (r *reconciler) removeEach(ctx context.Context, client metadata.ResourceInterface, background metav1.DeletionPropagation) error {
	list, err := client.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var errs []error
	for i := range list.Items {
		err := client.Delete(ctx, list.Items[i].Name, metav1.DeleteOptions{PropagationPolicy: &background})
		errs = append(errs, controller.IgnoreGone(err))
	}
	return errors.Join(errs...)
}

// podGrace is the longest grace period of the namespace's pods, unless so much time has passed since the deletion.
func (r *reconciler) podGrace(ctx context.Context, namespace *corev1.Namespace, f *findings) int64 {
	pods, err := r.client.CoreV1().Pods(namespace.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		f.fail(err)
		return 0
	}
	var grace int64
	for i := range pods.Items {
		if p := &pods.Items[i]; !controller.IsTerminal(p) && p.Spec.TerminationGracePeriodSeconds != nil {
			grace = max(grace, *p.Spec.TerminationGracePeriodSeconds)
		}
	}
	if time.Since(namespace.DeletionTimestamp.Time) >= time.Duration(grace)*time.Second {
		return 0
	}
	return grace
}
