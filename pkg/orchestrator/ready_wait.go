package orchestrator

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// waitReady waits until the nodes of this process are Ready, the default service account exists, and names are answered.
func (s *server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, fmt.Errorf("the cluster is not ready after a minute"))
	defer cancel()
	// What the API holds is no sign: on a later start the nodes are Ready there by the word of their agents before.
	for _, joined := range s.joined {
		select {
		case <-joined:
		case <-ctx.Done():
			return fmt.Errorf("wait for nodes to be ready: %w", context.Cause(ctx))
		}
	}
	if err := s.markControlPlane(ctx); err != nil {
		return err
	}
	if err := s.waitFor(ctx, "serviceaccounts", func(items []*store.Item) bool {
		for _, i := range items {
			if i.Key.Namespace == corev1.NamespaceDefault && i.Key.Name == "default" {
				return true
			}
		}
		return false
	}); err != nil {
		return fmt.Errorf("wait for the default service account: %w", err)
	}
	if s.network == nil {
		return nil
	}
	if err := s.network.waitDNS(ctx); err != nil {
		return fmt.Errorf("wait for name service: %w", err)
	}
	return nil
}

// waitFor watches a resource until its objects satisfy done.
func (s *server) waitFor(ctx context.Context, resource string, done func([]*store.Item) bool) error {
	selection := store.Selection{Resource: resource}
	for {
		page, err := s.store.List(ctx, selection, store.ListOptions{})
		if err != nil {
			return err
		}
		if done(page.Items) {
			return nil
		}
		if err := s.nextChange(ctx, selection, page.Revision); err != nil {
			return err
		}
	}
}

// nextChange waits for an event after a revision.
func (s *server) nextChange(ctx context.Context, selection store.Selection, from int64) error {
	w, err := s.store.Watch(ctx, selection, from)
	if err != nil {
		return err
	}
	defer w.Stop()
	for batch := range w.Events() {
		for _, e := range batch {
			if e.Type != store.Bookmark {
				return nil
			}
		}
	}
	if w.Err() != nil {
		return w.Err()
	}
	return context.Cause(ctx)
}
