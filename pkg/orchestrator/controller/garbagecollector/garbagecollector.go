// Package garbagecollector deletes objects whose owners are gone, and lets owners go that wait for their dependents or that
// leave them behind. It knows no kind: it sees the metadata of whatever the server serves, as a graph.
package garbagecollector

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/record"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

const (
	workers = 20
	// settle is how long an unknown owner may take to show up before the server is asked: its own event may be on the way.
	settle = time.Second
)

type collector struct {
	client   kubernetes.Interface
	metadata metadata.Interface
	shared   informers.SharedInformerFactory
	events   record.EventRecorder
	graph    *graph
	queue    *controller.Controller
	kinds    map[schema.GroupVersionKind]served // set before the workers start
}

// served is a kind as the server serves it.
type served struct {
	resource   schema.GroupVersionResource
	namespaced bool
}

// New makes the garbage collector; c.Metadata must be set.
func New(c controller.Context) *controller.Controller {
	g := &collector{
		client:   c.As("generic-garbage-collector"),
		metadata: c.Metadata,
		shared:   c.Informers,
		events:   c.Recorder("garbage-collector-controller"),
		graph:    newGraph(),
	}
	g.queue = controller.New("garbagecollector", g.reconcile,
		controller.Reads(c.Informers.Core().V1().Namespaces()), // once it has synced the shared informers are known
		controller.Before(g.monitor),
		controller.Workers(workers))
	return g.queue
}

// wake looks at objects by their UID, which stands where other controllers have a name.
func (g *collector) wake(uids ...types.UID) {
	for _, uid := range uids {
		g.queue.Enqueue(types.NamespacedName{Name: string(uid)})
	}
}

func (g *collector) reconcile(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	o := g.graph.get(types.UID(key.Name))
	if o == nil {
		return controller.Result{}, nil
	}
	switch {
	case o.deleted && o.orphan:
		return controller.Result{}, controller.IgnoreGone(g.orphan(ctx, o))
	case o.awaits():
		return controller.Result{}, controller.IgnoreGone(g.awaitDependents(ctx, o))
	case o.deleted || g.graph.kept(o):
		return controller.Result{}, nil
	}
	return controller.Result{}, controller.IgnoreGone(g.collect(ctx, o))
}

// awaitDependents lets an owner go once nothing blocks it, and sees to it that what blocks it is deleted.
func (g *collector) awaitDependents(ctx context.Context, o *object) error {
	dependents := g.graph.dependentsOf(o.uid)
	if len(blocking(o.uid, dependents)) == 0 {
		return g.removeFinalizer(ctx, o, metav1.FinalizerDeleteDependents)
	}
	for _, d := range dependents {
		if !d.deleted {
			g.wake(d.uid)
		}
	}
	return nil
}

// orphan takes the owner out of its dependents and then lets it go.
func (g *collector) orphan(ctx context.Context, o *object) error {
	for _, d := range g.graph.dependentsOf(o.uid) {
		if err := controller.IgnoreGone(g.dropOwners(ctx, d, []types.UID{o.uid})); err != nil {
			return fmt.Errorf("orphan %s %s/%s: %w", d.resource.Resource, d.namespace, d.name, err)
		}
	}
	return g.removeFinalizer(ctx, o, metav1.FinalizerOrphanDependents)
}

// collect deletes an object that no owner keeps. It judges what the server has, not the graph, which may lag.
func (g *collector) collect(ctx context.Context, cached *object) error {
	client := g.resourceOf(cached)
	live, err := client.Get(ctx, cached.name, metav1.GetOptions{})
	if err != nil || live.UID != cached.uid {
		return err
	}
	o := newObject(cached.resource, live)
	states := map[types.UID]ownerState{}
	for _, ref := range o.owners {
		state, err := g.ownerState(ctx, o, ref)
		if err != nil {
			return err
		}
		states[ref.UID] = state
	}
	dependents := g.graph.dependentsOf(o.uid)
	v := judge(o, states, len(dependents) > 0)
	if v.delete == "" {
		if len(v.drop) == 0 {
			return nil
		}
		return g.dropOwners(ctx, o, v.drop)
	}
	if v.delete == metav1.DeletePropagationForeground && slices.ContainsFunc(dependents, (*object).awaits) {
		// a circle: each would wait for the other
		if err := g.unblock(ctx, live, o); err != nil {
			return err
		}
	}
	return client.Delete(ctx, o.name, metav1.DeleteOptions{
		PropagationPolicy: &v.delete,
		Preconditions:     &metav1.Preconditions{UID: &o.uid},
	})
}

// ownerState looks an owner up, in the graph and, if it is not there, at the server.
func (g *collector) ownerState(ctx context.Context, o *object, ref metav1.OwnerReference) (ownerState, error) {
	if owner := g.graph.get(ref.UID); owner != nil {
		if owner.namespace != "" && owner.namespace != o.namespace {
			g.events.Eventf(reference(o, ref), corev1.EventTypeWarning, "OwnerRefInvalidNamespace", "ownerRef [%s/%s, namespace: %s, name: %s, uid: %s] does not exist in namespace %q",
				ref.APIVersion, ref.Kind, o.namespace, ref.Name, ref.UID, o.namespace)
			return gone, nil
		}
		if owner.awaits() {
			return waiting, nil
		}
		return solid, nil
	}
	kind, ok := g.kinds[schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind)]
	if !ok {
		return solid, fmt.Errorf("unable to get REST mapping for %s/%s", ref.APIVersion, ref.Kind)
	}
	var client metadata.ResourceInterface = g.metadata.Resource(kind.resource)
	if kind.namespaced {
		if o.namespace == "" {
			return solid, nil // such a reference is invalid: upstream leaves the object alone
		}
		client = g.metadata.Resource(kind.resource).Namespace(o.namespace)
	}
	owner, err := client.Get(ctx, ref.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return gone, nil
	case err != nil:
		return solid, err
	case owner.UID != ref.UID:
		return gone, nil
	case newObject(kind.resource, owner).awaits():
		return waiting, nil
	}
	return solid, nil
}

func (g *collector) resourceOf(o *object) metadata.ResourceInterface {
	if o.namespace == "" {
		return g.metadata.Resource(o.resource)
	}
	return g.metadata.Resource(o.resource).Namespace(o.namespace)
}

func reference(o *object, ref metav1.OwnerReference) *corev1.ObjectReference {
	return &corev1.ObjectReference{Namespace: o.namespace, Name: o.name, UID: o.uid, APIVersion: o.resource.GroupVersion().String(), FieldPath: "metadata.ownerReferences[" + ref.Name + "]"}
}
