package orchestrator

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// reader gives the API server's own rooms (auth, admission) what is stored, without a request.
type reader struct{ store store.Store }

// Get reads one object.
func (r reader) Get(ctx context.Context, gr schema.GroupResource, namespace, name string) (api.Object, error) {
	item, err := r.store.Get(ctx, store.Key{Resource: gr.String(), Namespace: namespace, Name: name})
	if errors.Is(err, store.ErrNotFound) {
		return nil, apierrors.NewNotFound(gr, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", gr, name, err)
	}
	return item.Object.(api.Object), nil
}

// List reads the objects of a namespace (empty: all), selected by an indexed field if one is named.
func (r reader) List(ctx context.Context, gr schema.GroupResource, namespace, field, value string) ([]api.Object, error) {
	page, err := r.store.List(ctx, store.Selection{Resource: gr.String(), Namespace: namespace, Field: field, Value: value}, store.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", gr, err)
	}
	out := make([]api.Object, 0, len(page.Items))
	for _, item := range page.Items {
		out = append(out, item.Object.(api.Object))
	}
	return out, nil
}
