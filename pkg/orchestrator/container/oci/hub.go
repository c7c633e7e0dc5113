package oci

import (
	"context"
	"sync"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// hub hands events to all who listen, each in order and none lost; a listener's backlog holds no more than the starts
// and ends that happened since it read last.
type hub struct {
	mu        sync.Mutex
	listeners map[*listener]struct{}
}

type listener struct {
	mu    sync.Mutex
	queue []container.Event
	wake  chan struct{}
}

func (h *hub) publish(e container.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		l.mu.Lock()
		l.queue = append(l.queue, e)
		l.mu.Unlock()
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// Events delivers starts and ends until ctx ends.
func (r *Runtime) Events(ctx context.Context) (<-chan container.Event, error) {
	l := &listener{wake: make(chan struct{}, 1)}
	r.hub.mu.Lock()
	if r.hub.listeners == nil {
		r.hub.listeners = map[*listener]struct{}{}
	}
	r.hub.listeners[l] = struct{}{}
	r.hub.mu.Unlock()
	out := make(chan container.Event, 16)
	go func() {
		defer close(out)
		defer func() {
			r.hub.mu.Lock()
			delete(r.hub.listeners, l)
			r.hub.mu.Unlock()
		}()
		l.deliver(ctx, out)
	}()
	return out, nil
}

func (l *listener) deliver(ctx context.Context, out chan<- container.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		l.mu.Lock()
		batch := l.queue
		l.queue = nil
		l.mu.Unlock()
		for _, e := range batch {
			select {
			case out <- e:
			case <-ctx.Done():
				return
			}
		}
	}
}
