// Package controller is the frame of every controller: the queue and its workers, back-off, what a reconciler expects to see
// of its own writes, adoption and release of what it owns, and events. A controller's own folder holds one reconcile
// function and the pure functions it plans with. The frame never sees the store and knows no kind: it works on informers.
package controller

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// Result says when to come back to a key that reconciled without an error; zero means at the next event.
type Result struct {
	After time.Duration
}

// Reconcile brings one object toward its spec. The key says which object, never what happened.
type Reconcile func(ctx context.Context, key types.NamespacedName) (Result, error)

// Informer is what the typed informers of a factory are.
type Informer interface {
	Informer() cache.SharedIndexInformer
}

// MapFunc gives the keys that an object wakes.
type MapFunc func(obj metav1.Object) []types.NamespacedName

// Controller is one control loop. Make it with New, start it with Run.
type Controller struct {
	name      string
	reconcile Reconcile
	queue     workqueue.TypedRateLimitingInterface[types.NamespacedName]
	workers   int
	owner     cache.Indexer
	expect    *Expectations
	synced    []cache.DoneChecker
	factories []informers.SharedInformerFactory
	before    []func(ctx context.Context) (func(), error)
	custom    func(ctx context.Context)
}

// Back-off of failing keys: 5 ms, 10 ms, 20 ms … as upstream's queues, but no longer than five minutes.
const (
	firstRetry     = 5 * time.Millisecond
	lastRetry      = 5 * time.Minute
	defaultWorkers = 5
	// maxPrepareRetry bounds the wait between attempts to get ready.
	maxPrepareRetry = 10 * time.Second
)

// New makes a controller of a reconcile function. Handlers are added to the informers at once, so every controller is made
// before the factory starts.
func New(name string, reconcile Reconcile, options ...Option) *Controller {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](firstRetry, lastRetry)
	c := &Controller{
		name:      name,
		reconcile: reconcile,
		queue:     workqueue.NewTypedRateLimitingQueue(limiter),
		workers:   defaultWorkers,
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// Custom makes a controller of a function that runs until its context ends: for the few that are no queue of keys.
func Custom(name string, run func(ctx context.Context)) *Controller {
	return &Controller{name: name, custom: run}
}

// Name is the controller's name, such as "replicaset".
func (c *Controller) Name() string { return c.name }

// Run works until ctx ends, and returns when every worker has stopped.
func (c *Controller) Run(ctx context.Context) {
	if c.custom != nil {
		c.custom(ctx)
		return
	}
	stop := context.AfterFunc(ctx, c.queue.ShutDown)
	defer stop()
	defer c.queue.ShutDown()
	for _, factory := range c.factories {
		factory.Start(ctx.Done())
		defer factory.Shutdown()
	}
	if !cache.WaitFor(ctx, "", c.synced...) {
		return
	}
	for _, prepare := range c.before {
		cleanUp, ok := c.prepare(ctx, prepare)
		if !ok {
			return
		}
		defer cleanUp()
	}
	var workers sync.WaitGroup
	for range c.workers {
		workers.Go(func() {
			for c.next(ctx) {
			}
		})
	}
	workers.Wait()
}

// prepare tries until it succeeds or ctx ends.
func (c *Controller) prepare(ctx context.Context, prepare func(ctx context.Context) (func(), error)) (cleanUp func(), ok bool) {
	for wait := firstRetry; ; wait = min(2*wait, maxPrepareRetry) {
		cleanUp, err := prepare(ctx)
		if err == nil {
			return cleanUp, true
		}
		if ctx.Err() == nil {
			klog.FromContext(ctx).Error(err, "prepare", "controller", c.name)
		}
		select {
		case <-ctx.Done():
			return nil, false
		case <-time.After(wait):
		}
	}
}

// Enqueue asks for a reconcile of key.
func (c *Controller) Enqueue(key types.NamespacedName) { c.queue.Add(key) }

// EnqueueAfter asks for a reconcile of key in d.
func (c *Controller) EnqueueAfter(key types.NamespacedName, d time.Duration) {
	c.queue.AddAfter(key, d)
}

func (c *Controller) next(ctx context.Context) bool {
	key, quit := c.queue.Get()
	if quit {
		return false
	}
	defer c.queue.Done(key)
	if c.expect != nil && !c.expect.Ready(key) {
		// the informer event that is awaited wakes the key; the delay is for one that got lost
		c.queue.AddAfter(key, expectationsTimeout)
		return true
	}
	result, err := c.safely(ctx, key)
	switch {
	case ctx.Err() != nil:
		return true
	case err != nil:
		if !Expected(err) {
			klog.FromContext(ctx).Error(err, "reconcile", "controller", c.name, "object", key.String())
		}
		c.queue.AddRateLimited(key)
	case result.After > 0:
		c.queue.Forget(key)
		c.queue.AddAfter(key, result.After)
	default:
		c.queue.Forget(key)
	}
	return true
}

// safely turns a panic into an error: one broken object must not stop the others.
func (c *Controller) safely(ctx context.Context, key types.NamespacedName) (result Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.reconcile(ctx, key)
}

// Expected holds for errors of ordinary racing: a stale read, an object or a namespace that is going away.
func Expected(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsNotFound(err) || apierrors.IsAlreadyExists(err) ||
		apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}

// Key is the key of an object.
func Key(obj metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
}
