package resource

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strconv"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/api"
)

// WriteOptions are the query parameters of a write.
type WriteOptions struct {
	DryRun          bool
	FieldManager    string
	FieldValidation string
	Force           *bool // apply only
	Subresource     string
}

func (o WriteOptions) query() url.Values {
	q := url.Values{}
	if o.DryRun {
		q.Set("dryRun", "All")
	}
	if o.FieldManager != "" {
		q.Set("fieldManager", o.FieldManager)
	}
	if o.FieldValidation != "" {
		q.Set("fieldValidation", o.FieldValidation)
	}
	if o.Force != nil {
		q.Set("force", strconv.FormatBool(*o.Force))
	}
	return q
}

func (o WriteOptions) sub() []string {
	if o.Subresource == "" {
		return nil
	}
	return []string{o.Subresource}
}

// Create posts an object and takes over the server's answer.
func (c *Client) Create(ctx context.Context, o *Object, opts WriteOptions) error {
	body, err := json.Marshal(o.Unstructured.Object)
	if err != nil {
		return err
	}
	path := o.Mapping.Path(o.Namespace, "")
	if opts.Subresource != "" {
		path = o.Mapping.Path(o.Namespace, o.Name, opts.Subresource)
	}
	return c.write(ctx, o, Request{Method: http.MethodPost, Path: path, Query: opts.query(), Body: body})
}

// Update puts an object in place of the one on the server.
func (c *Client) Update(ctx context.Context, o *Object, opts WriteOptions) error {
	body, err := json.Marshal(o.Unstructured.Object)
	if err != nil {
		return err
	}
	return c.write(ctx, o, Request{Method: http.MethodPut, Path: o.Mapping.Path(o.Namespace, o.Name, opts.sub()...), Query: opts.query(), Body: body})
}

// Patch sends a patch and takes over the server's answer.
func (c *Client) Patch(ctx context.Context, o *Object, typ types.PatchType, patch []byte, opts WriteOptions) error {
	return c.write(ctx, o, Request{Method: http.MethodPatch, Path: o.Mapping.Path(o.Namespace, o.Name, opts.sub()...), Query: opts.query(), Body: patch, ContentType: string(typ)})
}

func (c *Client) write(ctx context.Context, o *Object, r Request) error {
	r.Resource, r.Name = o.Mapping.GroupResource(), o.Name
	body, err := c.Do(ctx, r)
	if err != nil {
		return err
	}
	return o.Set(body)
}

// Delete asks for an object's end. The answer is the object if the server keeps it for a while, else a Status.
func (c *Client) Delete(ctx context.Context, o *Object, opts *metav1.DeleteOptions) ([]byte, error) {
	if opts.Kind == "" {
		opts.Kind, opts.APIVersion = "DeleteOptions", "v1"
	}
	body, err := json.Marshal(opts)
	if err != nil {
		return nil, err
	}
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: o.Mapping.Path(o.Namespace, o.Name), Body: body, Resource: o.Mapping.GroupResource(), Name: o.Name})
}

// ListQuery writes list options as query parameters.
func ListQuery(o metav1.ListOptions) url.Values {
	q := url.Values{}
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	set("labelSelector", o.LabelSelector)
	set("fieldSelector", o.FieldSelector)
	set("resourceVersion", o.ResourceVersion)
	set("resourceVersionMatch", string(o.ResourceVersionMatch))
	set("continue", o.Continue)
	if o.Limit > 0 {
		q.Set("limit", strconv.FormatInt(o.Limit, 10))
	}
	if o.Watch {
		q.Set("watch", "true")
	}
	if o.AllowWatchBookmarks {
		q.Set("allowWatchBookmarks", "true")
	}
	if o.SendInitialEvents != nil {
		q.Set("sendInitialEvents", strconv.FormatBool(*o.SendInitialEvents))
	}
	if o.TimeoutSeconds != nil {
		q.Set("timeoutSeconds", strconv.FormatInt(*o.TimeoutSeconds, 10))
	}
	return q
}

// CreateTyped posts a typed object of a built-in kind, which must carry that kind, and fills it with the server's answer. It
// needs no discovery; an empty namespace is for what lives in none.
func (c *Client) CreateTyped(ctx context.Context, namespace string, obj api.Object, opts WriteOptions) error {
	gvk := obj.GetObjectKind().GroupVersionKind()
	gvr, _ := meta.UnsafeGuessKindToResource(gvk)
	m := &Mapping{GVK: gvk, GVR: gvr, Namespaced: namespace != ""}
	body, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	answer, err := c.Do(ctx, Request{Method: http.MethodPost, Path: m.Path(namespace, ""), Query: opts.query(), Body: body, Resource: m.GroupResource(), Name: obj.GetName()})
	if err != nil {
		return err
	}
	// What the server does not send must not stay.
	reflect.ValueOf(obj).Elem().SetZero()
	if err := json.Unmarshal(answer, obj); err != nil {
		return err
	}
	obj.GetObjectKind().SetGroupVersionKind(gvk)
	return nil
}
