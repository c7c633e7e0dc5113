package apiserver

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// How long, and how many, requests wait for a place before the client is sent away.
const (
	placeWait  = 10 * time.Second
	maxWaiting = 5000
)

// places bounds the requests under way: a burst waits its turn, a flood is refused.
type places struct {
	taken   chan struct{}
	waiting atomic.Int64
}

func newPlaces(n int) *places { return &places{taken: make(chan struct{}, n)} }

// take waits for a place; the caller gives it back with release.
func (p *places) take(ctx context.Context) (release func(), err error) {
	select {
	case p.taken <- struct{}{}:
		return p.release, nil
	default:
	}
	if p.waiting.Add(1) > maxWaiting {
		p.waiting.Add(-1)
		return nil, errTooMany()
	}
	defer p.waiting.Add(-1)
	timer := time.NewTimer(placeWait)
	defer timer.Stop()
	select {
	case p.taken <- struct{}{}:
		return p.release, nil
	case <-timer.C:
		return nil, errTooMany()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *places) release() { <-p.taken }

func errTooMany() error {
	return apierrors.NewTooManyRequests("too many requests, please try again later", 1)
}

// admit takes a place among the requests under way, reads and writes apart.
func (s *Server) admit(q *request) (release func(), err error) {
	if q.Method == http.MethodGet || q.Method == http.MethodHead {
		return s.reads.take(q.ctx)
	}
	return s.writes.take(q.ctx)
}
