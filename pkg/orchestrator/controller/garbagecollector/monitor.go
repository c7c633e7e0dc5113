package garbagecollector

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

// monitor asks the server what it serves and watches all of it: through the shared informers where another controller has
// one already, by metadata alone where not.
func (g *collector) monitor(ctx context.Context) (func(), error) {
	groups, lists, err := g.client.Discovery().ServerGroupsAndResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, fmt.Errorf("discover resources: %w", err)
	}
	preferred := map[string]string{}
	for _, group := range groups {
		preferred[group.Name] = group.PreferredVersion.Version
	}
	own := metadatainformer.NewSharedInformerFactory(g.metadata, 0)
	inUse := g.informersInUse()
	g.kinds = map[schema.GroupVersionKind]served{}
	var synced []cache.DoneChecker
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			continue
		}
		for _, r := range list.APIResources {
			if strings.Contains(r.Name, "/") {
				continue
			}
			resource := gv.WithResource(r.Name)
			g.kinds[gv.WithKind(r.Kind)] = served{resource, r.Namespaced}
			if gv.Version != preferred[gv.Group] || !watchable(r) {
				continue
			}
			informer, err := g.informer(resource, gv.WithKind(r.Kind), inUse, own)
			if err != nil {
				return nil, err
			}
			registration, err := informer.AddEventHandler(g.handler(resource))
			if err != nil {
				return nil, fmt.Errorf("watch %s: %w", r.Name, err)
			}
			synced = append(synced, registration.HasSyncedChecker())
		}
	}
	own.Start(ctx.Done())
	if !cache.WaitFor(ctx, "", synced...) {
		own.Shutdown()
		return nil, errors.New("the collector was stopped before it knew the cluster")
	}
	return own.Shutdown, nil
}

// watchable leaves out what cannot be collected, and events, which are many and own nothing.
func watchable(r metav1.APIResource) bool {
	if r.Kind == "Event" && r.Name == "events" {
		return false
	}
	return slices.Contains(r.Verbs, "delete") && slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "watch")
}

// informersInUse tells the types that the shared factory watches. The closed channel makes it answer at once.
func (g *collector) informersInUse() map[reflect.Type]bool {
	now := make(chan struct{})
	close(now)
	return g.shared.WaitForCacheSync(now)
}

func (g *collector) informer(resource schema.GroupVersionResource, kind schema.GroupVersionKind, inUse map[reflect.Type]bool, own metadatainformer.SharedInformerFactory) (cache.SharedIndexInformer, error) {
	if typed, err := scheme.Scheme.New(kind); err == nil {
		if _, ok := inUse[reflect.TypeOf(typed)]; ok {
			informer, err := g.shared.ForResource(resource)
			if err != nil {
				return nil, fmt.Errorf("watch %s: %w", resource.Resource, err)
			}
			return informer.Informer(), nil
		}
	}
	informer := own.ForResource(resource).Informer()
	if err := informer.SetTransform(essentials); err != nil {
		return nil, fmt.Errorf("watch %s: %w", resource.Resource, err)
	}
	return informer, nil
}

// essentials keeps of an object what the graph is made of.
func essentials(obj any) (any, error) {
	m, ok := obj.(*metav1.PartialObjectMetadata)
	if !ok {
		return obj, nil
	}
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion,
		OwnerReferences: m.OwnerReferences, Finalizers: m.Finalizers, DeletionTimestamp: m.DeletionTimestamp,
	}}, nil
}

func (g *collector) handler(resource schema.GroupVersionResource) cache.ResourceEventHandler {
	set := func(obj any) {
		o := newObject(resource, obj.(metav1.Object))
		wake, orphaned := g.graph.set(o)
		g.wake(wake...)
		if orphaned {
			g.queue.EnqueueAfter(types.NamespacedName{Name: string(o.uid)}, settle)
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: set,
		UpdateFunc: func(old, obj any) {
			before, after := old.(metav1.Object), obj.(metav1.Object)
			if before.GetUID() != after.GetUID() {
				g.wake(g.graph.remove(before.GetUID())...)
			} else if same(before, after) {
				return
			}
			set(obj)
		},
		DeleteFunc: func(obj any) {
			if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = last.Obj
			}
			if m, ok := obj.(metav1.Object); ok {
				g.wake(g.graph.remove(m.GetUID())...)
			}
		},
	}
}

// same holds for changes that the graph does not show, such as a status.
func same(a, b metav1.Object) bool {
	return (a.GetDeletionTimestamp() == nil) == (b.GetDeletionTimestamp() == nil) &&
		slices.Equal(a.GetFinalizers(), b.GetFinalizers()) &&
		slices.EqualFunc(a.GetOwnerReferences(), b.GetOwnerReferences(), func(x, y metav1.OwnerReference) bool {
			return x.UID == y.UID && blocks(x) == blocks(y)
		})
}
