//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// Hooks tell RunServices' caller how it goes; each may be nil. They must not block.
type Hooks struct {
	// Ready is called once, when the rules of all services that were there at the start are in force.
	Ready func()
	// Applied is called after each transaction, with the number of services it changed.
	Applied func(services int, took time.Duration)
	// Failed is called for what could not be done: a transaction (it is tried again) or a port of 127.0.0.1 that is in use.
	Failed func(error)
}

const (
	gather     = 2 * time.Millisecond // how long the first change waits for company
	retryAfter = time.Second
)

// RunServices keeps the node's rules equal to the informers' Services and EndpointSlices until ctx ends, when the rules
// stay. On the first node it also listens on the process's own 127.0.0.1 for each node port. The caller starts the informers.
func (n *Node) RunServices(ctx context.Context, f informers.SharedInformerFactory, h Hooks) error {
	t := &tracker{services: map[string]*corev1.Service{}, slices: map[string]map[string]*discoveryv1.EndpointSlice{},
		dirty: map[string]bool{}, wake: make(chan struct{}, 1)}
	synced, stop, err := t.follow(f)
	if err != nil {
		return fmt.Errorf("follow services: %w", err)
	}
	defer stop()
	if !cache.WaitFor(ctx, "", synced...) {
		return nil
	}
	n.rules.hear(h.failed)
	defer n.rules.hear(nil)
	var loopback *loopbackPorts
	if n.index == 1 {
		loopback = newLoopbackPorts(ctx, n, h.failed)
		defer loopback.close()
	}
	for whole := true; ; {
		started := time.Now()
		keys := t.take()
		err := n.rules.apply(t.plan(n.view(), keys), whole)
		if err != nil {
			h.failed(err)
			whole = true
		} else {
			if whole && h.Ready != nil {
				h.Ready()
				h.Ready = nil
			}
			whole = false
			if h.Applied != nil {
				h.Applied(len(keys), time.Since(started))
			}
			if loopback != nil {
				loopback.want(n.rules.nodePorts())
			}
		}
		if !t.wait(ctx, whole) {
			return nil
		}
	}
}

func (h Hooks) failed(err error) {
	if h.Failed != nil {
		h.Failed(err)
	}
}

func (n *Node) view() view {
	return view{name: n.name, pods: n.pods, hub: n.index == 1, own: n.f.addrs.services}
}

// tracker holds each service with its slices, and which of them changed.
type tracker struct {
	mu       sync.Mutex
	services map[string]*corev1.Service
	slices   map[string]map[string]*discoveryv1.EndpointSlice // by service, by slice
	dirty    map[string]bool
	wake     chan struct{}
}

func (t *tracker) follow(f informers.SharedInformerFactory) (synced []cache.DoneChecker, stop func(), err error) {
	services, endpointSlices := f.Core().V1().Services().Informer(), f.Discovery().V1().EndpointSlices().Informer()
	one, err := services.AddEventHandler(handler(t.service))
	if err != nil {
		return nil, nil, err
	}
	two, err := endpointSlices.AddEventHandler(handler(t.slice))
	if err != nil {
		return nil, nil, errors.Join(err, services.RemoveEventHandler(one))
	}
	stop = func() {
		_ = services.RemoveEventHandler(one)
		_ = endpointSlices.RemoveEventHandler(two)
	}
	return []cache.DoneChecker{one.HasSyncedChecker(), two.HasSyncedChecker()}, stop, nil
}

// handler calls set with the old object, the new one, or both.
func handler[T any](set func(old, now T)) cache.ResourceEventHandler {
	var none T
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { set(none, o.(T)) },
		UpdateFunc: func(old, o any) { set(old.(T), o.(T)) },
		DeleteFunc: func(o any) {
			if gone, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = gone.Obj
			}
			if v, ok := o.(T); ok {
				set(v, none)
			}
		},
	}
}

func (t *tracker) service(old, now *corev1.Service) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now == nil {
		key := old.Namespace + "/" + old.Name
		delete(t.services, key)
		t.touch(key)
		return
	}
	key := now.Namespace + "/" + now.Name
	t.services[key] = now
	t.touch(key)
}

func (t *tracker) slice(old, now *discoveryv1.EndpointSlice) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old != nil {
		key := serviceOf(old)
		delete(t.slices[key], old.Name)
		if len(t.slices[key]) == 0 {
			delete(t.slices, key)
		}
		t.touch(key)
	}
	if now != nil {
		key := serviceOf(now)
		if t.slices[key] == nil {
			t.slices[key] = map[string]*discoveryv1.EndpointSlice{}
		}
		t.slices[key][now.Name] = now
		t.touch(key)
	}
}

func serviceOf(s *discoveryv1.EndpointSlice) string {
	return s.Namespace + "/" + s.Labels[discoveryv1.LabelServiceName]
}

func (t *tracker) touch(key string) {
	t.dirty[key] = true
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *tracker) take() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := make([]string, 0, len(t.dirty))
	for k := range t.dirty {
		keys = append(keys, k)
	}
	clear(t.dirty)
	return keys
}

// plan decides the named services' parts; a service that is gone has an empty one.
func (t *tracker) plan(v view, keys []string) map[string]part {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[string]part, len(keys))
	for _, key := range keys {
		svc := t.services[key]
		if svc == nil {
			out[key] = part{}
			continue
		}
		var endpointSlices []*discoveryv1.EndpointSlice
		for s := range maps.Values(t.slices[key]) {
			endpointSlices = append(endpointSlices, s)
		}
		out[key] = planService(v, svc, endpointSlices)
	}
	return out
}

// wait returns when there is something to do and some more had time to come, or when a failed write is due again; false is the end.
func (t *tracker) wait(ctx context.Context, failed bool) bool {
	var again <-chan time.Time
	if failed {
		again = time.After(retryAfter)
	}
	select {
	case <-ctx.Done():
		return false
	case <-again:
		return true
	case <-t.wake:
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(gather):
		return true
	}
}

// Drained waits until no node's rules send anything new to a pod's address but for want of others: then the pod may be killed without a
// new connection failing. told says whether services select the pod, so that their rules will be told that it leaves; a pod that was
// ready for a moment only may not be known to them yet. The kernel is asked, so that nodes of other processes count.
func (f *Fabric) Drained(ctx context.Context, ip netip.Addr, told func() bool) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		turned, err := f.turnedAway(ip, told())
		if err != nil || turned {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
