package controller

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// Option says what wakes a controller.
type Option func(*Controller)

// For wakes the controller for each object of an informer, by its own key.
func For(informer Informer) Option {
	return func(c *Controller) {
		c.owner = informer.Informer().GetIndexer()
		c.handle(informer, func(old, obj metav1.Object) {
			c.Enqueue(Key(obj))
		})
	}
}

// Owns wakes the owner of each object of an informer: the object of For whose UID stands in the controller reference. Those
// without a controller wake what orphans gives, since an owner may adopt them. It comes after For.
func Owns(informer Informer, orphans ...MapFunc) Option {
	return func(c *Controller) {
		c.handle(informer, func(old, obj metav1.Object) {
			if old != nil && !sameController(old, obj) {
				c.enqueueOwner(old)
			}
			if metav1.GetControllerOfNoCopy(obj) != nil {
				c.enqueueOwner(obj)
				return
			}
			if old != nil && sameController(old, obj) && sameLabels(old, obj) {
				return
			}
			for _, keys := range orphans {
				c.enqueueAll(keys(obj))
			}
		})
	}
}

// Watches wakes the keys that keys gives for each object of an informer, before and after a change.
func Watches(informer Informer, keys MapFunc) Option {
	return func(c *Controller) {
		c.handle(informer, func(old, obj metav1.Object) {
			if old != nil {
				c.enqueueAll(keys(old))
			}
			c.enqueueAll(keys(obj))
		})
	}
}

// WatchesChange is Watches for controllers that must see both sides of a change to tell whether it matters. old is nil for an
// object that is new or gone.
func WatchesChange(informer Informer, keys func(old, obj metav1.Object) []types.NamespacedName) Option {
	return func(c *Controller) {
		c.handle(informer, func(old, obj metav1.Object) { c.enqueueAll(keys(old, obj)) })
	}
}

// Reads makes the controller wait for an informer that it only lists from.
func Reads(informer Informer) Option {
	return func(c *Controller) {
		c.synced = append(c.synced, informer.Informer().HasSyncedChecker())
	}
}

// Starts gives the controller an informer factory of its own, for what the shared one does not watch; it lives as long as Run.
func Starts(factory informers.SharedInformerFactory) Option {
	return func(c *Controller) { c.factories = append(c.factories, factory) }
}

// Before runs in Run, after the informers known so far have synced and before the first reconcile: for what only the running
// server can tell. What it gives is called at the end.
func Before(prepare func(ctx context.Context) (cleanUp func(), err error)) Option {
	return func(c *Controller) { c.before = append(c.before, prepare) }
}

// Expecting keeps a key back until the informers show what the reconciler wrote for it.
func Expecting(e *Expectations) Option {
	return func(c *Controller) { c.expect = e }
}

// Workers bounds how many keys are reconciled at once.
func Workers(n int) Option {
	return func(c *Controller) { c.workers = n }
}

func (c *Controller) handle(informer Informer, changed func(old, obj metav1.Object)) {
	registration, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { changed(nil, obj.(metav1.Object)) },
		UpdateFunc: func(old, obj any) {
			before, after := old.(metav1.Object), obj.(metav1.Object)
			if before.GetUID() != after.GetUID() {
				changed(nil, before)
				changed(nil, after)
				return
			}
			changed(before, after)
		},
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = gone.Obj
			}
			if o, ok := obj.(metav1.Object); ok {
				changed(nil, o)
			}
		},
	})
	if err != nil {
		return // only an informer that has stopped refuses handlers: the whole factory is going away
	}
	c.synced = append(c.synced, registration.HasSyncedChecker())
}

// enqueueOwner checks the UID in place of the kind: it belongs to one object only.
func (c *Controller) enqueueOwner(obj metav1.Object) {
	ref := metav1.GetControllerOfNoCopy(obj)
	if ref == nil {
		return
	}
	key := types.NamespacedName{Namespace: obj.GetNamespace(), Name: ref.Name}
	owner, exists, err := c.owner.GetByKey(cache.NewObjectName(key.Namespace, key.Name).String())
	if err != nil || !exists || owner.(metav1.Object).GetUID() != ref.UID {
		return
	}
	c.Enqueue(key)
}

func (c *Controller) enqueueAll(keys []types.NamespacedName) {
	for _, key := range keys {
		c.Enqueue(key)
	}
}

func sameController(a, b metav1.Object) bool {
	left, right := metav1.GetControllerOfNoCopy(a), metav1.GetControllerOfNoCopy(b)
	if left == nil || right == nil {
		return left == right
	}
	return left.UID == right.UID
}

func sameLabels(a, b metav1.Object) bool {
	left, right := a.GetLabels(), b.GetLabels()
	if len(left) != len(right) {
		return false
	}
	for k, v := range left {
		if w, ok := right[k]; !ok || w != v {
			return false
		}
	}
	return true
}
