package image

import (
	"context"
	"sync"
)

// flights lets callers who want the same thing at the same time share one effort. It goes on while any of them waits,
// whoever began it.
type flights[T any] struct {
	mu sync.Mutex
	m  map[string]*flight[T]
}

type flight[T any] struct {
	waiters int
	cancel  context.CancelFunc
	done    chan struct{}
	value   T
	err     error
}

func (g *flights[T]) do(ctx context.Context, key string, work func(context.Context) (T, error)) (T, error) {
	g.mu.Lock()
	f := g.m[key]
	if f == nil {
		f = g.launch(ctx, key, work)
	}
	f.waiters++
	g.mu.Unlock()
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
	}
	g.mu.Lock()
	f.waiters--
	if f.waiters == 0 {
		f.cancel()
		if g.m[key] == f {
			delete(g.m, key) // the next caller begins anew
		}
	}
	g.mu.Unlock()
	var zero T
	return zero, ctx.Err()
}

func (g *flights[T]) launch(ctx context.Context, key string, work func(context.Context) (T, error)) *flight[T] {
	if g.m == nil {
		g.m = map[string]*flight[T]{}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight[T]{cancel: cancel, done: make(chan struct{})}
	g.m[key] = f
	go func() {
		defer cancel()
		f.value, f.err = work(ctx)
		g.mu.Lock()
		if g.m[key] == f {
			delete(g.m, key)
		}
		g.mu.Unlock()
		close(f.done)
	}()
	return f
}

func (g *flights[T]) active(key string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.m[key] != nil
}
