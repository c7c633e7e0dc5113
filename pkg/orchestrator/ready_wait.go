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
	nodes := 1
	if s.config.Runtime == RuntimeHollow {
		nodes = s.config.Nodes
	}
	if err := s.waitFor(ctx, "nodes", func(items []*store.Item) bool {
		ready := 0
		for _, i := range items {
			if nodeReady(i.Object.(*corev1.Node)) {
				ready++
			}
		}
		return ready >= nodes
	}); err != nil {
		return fmt.Errorf("wait for nodes to be ready: %w", err)
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

func nodeReady(node *corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
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
