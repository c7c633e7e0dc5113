package apiserver

import (
	"context"
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// NewReader lets authorizers and admission plugins read the store as of now, without a request.
func NewReader(s store.Store) auth.Reader { return reader{s} }

type reader struct{ store store.Store }

func (r reader) Get(ctx context.Context, gr schema.GroupResource, namespace, name string) (api.Object, error) {
	item, err := r.store.Get(ctx, store.Key{Resource: storageName(gr), Namespace: namespace, Name: name})
	if errors.Is(err, store.ErrNotFound) {
		return nil, apierrors.NewNotFound(gr, name)
	}
	if err != nil {
		return nil, err
	}
	return item.Object.(api.Object), nil
}

func (r reader) List(ctx context.Context, gr schema.GroupResource, namespace, field, value string) ([]api.Object, error) {
	page, err := r.store.List(ctx, store.Selection{Resource: storageName(gr), Namespace: namespace, Field: field, Value: value}, store.ListOptions{})
	if err != nil {
		return nil, err
	}
	out := make([]api.Object, len(page.Items))
	for i, item := range page.Items {
		out[i] = item.Object.(api.Object)
	}
	return out, nil
}

func groupResource(a auth.Attributes) schema.GroupResource {
	return schema.GroupResource{Group: a.Group, Resource: a.Resource}
}

func splitPath(path string) []string { return strings.Split(strings.TrimPrefix(path, "."), ".") }
