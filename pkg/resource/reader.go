package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
)

var _ api.Reader = (*Client)(nil)

// Get reads a typed object; with its TypeMeta it makes the Client an api.Reader.
func (c *Client) Get(ctx context.Context, namespace, name string, into api.Object) error {
	m, err := c.typed(ctx, into, "")
	if err != nil {
		return err
	}
	body, err := c.Do(ctx, Request{Path: m.Path(namespace, name), Resource: m.GroupResource(), Name: name})
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// List fills a typed list; with a limit it follows the chunks to the end.
func (c *Client) List(ctx context.Context, namespace string, opts metav1.ListOptions, into runtime.Object) error {
	m, err := c.typed(ctx, into, "List")
	if err != nil {
		return err
	}
	var items []runtime.Object
	chunks := 0
	for body, err := range c.Pages(ctx, Target{Mapping: m, Namespace: namespace}, opts, "") {
		if err != nil {
			return err
		}
		if chunks++; chunks > 1 {
			before, err := meta.ExtractList(into)
			if err != nil {
				return err
			}
			items = append(items, before...)
			if err := meta.SetList(into, nil); err != nil {
				return err
			}
		}
		if err := json.Unmarshal(body, into); err != nil {
			return fmt.Errorf("read list of %s: %w", m.GVR.Resource, err)
		}
	}
	if chunks < 2 {
		return nil
	}
	last, err := meta.ExtractList(into)
	if err != nil {
		return err
	}
	return meta.SetList(into, append(items, last...))
}

// typed finds the mapping of a Go type; suffix is what its kind has more than the object's.
func (c *Client) typed(ctx context.Context, obj runtime.Object, suffix string) (*Mapping, error) {
	gvk := obj.GetObjectKind().GroupVersionKind()
	if gvk.Kind == "" {
		kinds, _, err := Scheme().ObjectKinds(obj)
		if err != nil {
			return nil, err
		}
		gvk = kinds[0]
	}
	gvk.Kind = strings.TrimSuffix(gvk.Kind, suffix)
	return c.Mapping(ctx, gvk)
}

// Mapping finds the mapping of a kind.
func (c *Client) Mapping(ctx context.Context, gvk schema.GroupVersionKind) (*Mapping, error) {
	mapper, err := c.Mapper(ctx)
	if err != nil {
		return nil, err
	}
	return mapper.ByGVK(ctx, gvk)
}
