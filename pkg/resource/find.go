package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
)

// Find goes through the objects of a Query. An error stands for one object, document or list: what follows it still comes,
// and a caller that wants to stop at the first one breaks. Lists are read in chunks while the caller goes on.
func (c *Client) Find(ctx context.Context, q Query) iter.Seq2[*Object, error] {
	if q.FromFiles() {
		return c.fromFiles(ctx, q)
	}
	return func(yield func(*Object, error) bool) {
		if q.Local {
			yield(nil, ErrLocal)
			return
		}
		targets, _, err := c.Targets(ctx, q)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, t := range targets {
			seq := c.one(ctx, q, t)
			if t.Name == "" {
				seq = c.list(ctx, q, t)
			}
			for o, err := range seq {
				if !yield(o, err) {
					return
				}
			}
		}
	}
}

// All collects a Query's objects; errs are those of single objects.
func (c *Client) All(ctx context.Context, q Query) (objects []*Object, errs []error) {
	for o, err := range c.Find(ctx, q) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		objects = append(objects, o)
	}
	return objects, errs
}

// Single gives the one object that a Query names.
func (c *Client) Single(ctx context.Context, q Query) (*Object, error) {
	for o, err := range c.Find(ctx, q) {
		return o, err
	}
	return nil, fmt.Errorf("no objects found")
}

func (c *Client) one(ctx context.Context, q Query, t Target) iter.Seq2[*Object, error] {
	return func(yield func(*Object, error) bool) {
		o := &Object{Mapping: t.Mapping, Namespace: t.Namespace, Name: t.Name, Subresource: q.Subresource}
		if !q.NoObject {
			if err := c.Read(ctx, o); err != nil {
				if !q.IgnoreNotFound || !apierrors.IsNotFound(err) {
					yield(nil, err)
				}
				return
			}
		}
		yield(o, nil)
	}
}

// Read gets an object's latest state. If its namespace is not there either, the error says that.
func (c *Client) Read(ctx context.Context, o *Object) error {
	if o.Name == "" {
		return errors.New("resource name may not be empty")
	}
	body, err := c.Do(ctx, Request{Path: o.path(), Resource: o.Mapping.GroupResource(), Name: o.Name})
	if err != nil {
		return c.NamespaceError(ctx, o.Namespace, err)
	}
	return o.Set(body)
}

// NamespaceError replaces a NotFound of an object by that of its namespace, if that is what is missing.
func (c *Client) NamespaceError(ctx context.Context, namespace string, err error) error {
	if !apierrors.IsNotFound(err) || namespace == "" || namespace == metav1.NamespaceDefault {
		return err
	}
	if _, nsErr := c.GetRaw(ctx, "/api/v1/namespaces/"+namespace); apierrors.IsNotFound(nsErr) {
		return nsErr
	}
	return err
}

func (o *Object) path() string {
	if o.Subresource != "" {
		return o.Mapping.Path(o.Namespace, o.Name, o.Subresource)
	}
	return o.Mapping.Path(o.Namespace, o.Name)
}

func (c *Client) list(ctx context.Context, q Query, t Target) iter.Seq2[*Object, error] {
	return func(yield func(*Object, error) bool) {
		for body, err := range c.Pages(ctx, t, q.listOptions(), "") {
			if err != nil {
				yield(nil, err)
				return
			}
			var page struct {
				APIVersion string            `json:"apiVersion"`
				Kind       string            `json:"kind"`
				Items      []json.RawMessage `json:"items"`
			}
			if err := json.Unmarshal(body, &page); err != nil {
				yield(nil, fmt.Errorf("read list of %s: %w", t.Mapping.GVR.Resource, err))
				return
			}
			for _, item := range page.Items {
				o := &Object{Mapping: t.Mapping, Namespace: t.Namespace}
				u, err := DecodeItem(item, t.Mapping)
				if err == nil {
					o.replace(u)
				}
				if !yield(o, err) {
					return
				}
			}
		}
	}
}

// DecodeItem reads a list's item, which may leave out its kind.
func DecodeItem(item []byte, m *Mapping) (*unstructured.Unstructured, error) {
	var fields map[string]any
	if err := unmarshal(item, &fields); err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{Object: fields}
	if u.GetKind() == "" {
		u.SetGroupVersionKind(m.GVK)
	}
	return u, nil
}

func (q *Query) listOptions() metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: q.LabelSelector, FieldSelector: q.FieldSelector, Limit: q.ChunkSize}
}

// Pages reads a list chunk by chunk, as the server sends it. An expired continue token begins anew without chunks.
func (c *Client) Pages(ctx context.Context, t Target, opts metav1.ListOptions, accept string, extra ...string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			query := ListQuery(opts)
			for i := 0; i+1 < len(extra); i += 2 {
				query.Set(extra[i], extra[i+1])
			}
			body, err := c.Do(ctx, Request{Path: t.Mapping.Path(t.Namespace, ""), Query: query, Accept: accept, Resource: t.Mapping.GroupResource()})
			if err != nil {
				yield(nil, listError(err, opts, t.Mapping))
				return
			}
			if !yield(body, nil) {
				return
			}
			if opts.Continue = continueOf(body); opts.Continue == "" || opts.Limit == 0 {
				return
			}
		}
	}
}

func continueOf(body []byte) string {
	var page struct {
		Metadata struct {
			Continue string `json:"continue"`
		} `json:"metadata"`
	}
	if json.Unmarshal(body, &page) != nil {
		return ""
	}
	return page.Metadata.Continue
}

// listError says which selector a refused list used, as kubectl does.
func listError(err error, opts metav1.ListOptions, m *Mapping) error {
	s, ok := err.(*apierrors.StatusError)
	if !ok || (!apierrors.IsNotFound(err) && !apierrors.IsBadRequest(err)) || apierrors.IsResourceExpired(err) {
		return err
	}
	text := fmt.Sprintf("Unable to list %q: ", m.GVR.String())
	if opts.LabelSelector != "" || opts.FieldSelector != "" {
		text = fmt.Sprintf("Unable to find %q that match label selector %q, field selector %q: ", m.GVR.String(), opts.LabelSelector, opts.FieldSelector)
	}
	status := s.ErrStatus
	status.Message = text + status.Message
	return &apierrors.StatusError{ErrStatus: status}
}

func (c *Client) fromFiles(ctx context.Context, q Query) iter.Seq2[*Object, error] {
	return func(yield func(*Object, error) bool) {
		if err := q.check(); err != nil {
			yield(nil, err)
			return
		}
		if len(q.Args) > 0 {
			yield(nil, pathArgsError(q.Args))
			return
		}
		selector, err := labels.Parse(q.LabelSelector)
		if err != nil {
			yield(nil, fmt.Errorf("the provided selector %q is not valid: %v", q.LabelSelector, err))
			return
		}
		sources, _, err := c.sources(q)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, s := range sources {
			for o, err := range c.load(ctx, q, s) {
				if err == nil {
					if q.Latest {
						err = c.readLatest(ctx, q, o)
						if q.IgnoreNotFound && apierrors.IsNotFound(err) {
							continue
						}
					}
					if err == nil && !selector.Matches(labels.Set(o.GetLabels())) {
						continue
					}
				}
				if !yield(o, err) {
					return
				}
			}
		}
	}
}

func pathArgsError(args []string) error {
	p, err := parseArgs(args)
	switch {
	case err != nil:
		return err
	case len(p.tuples) > 0:
		return fmt.Errorf("resource/name arguments cannot be provided when a path is specified")
	case len(p.types) > 0:
		return fmt.Errorf("when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well")
	}
	return fmt.Errorf("name cannot be provided when a path is specified")
}

func (c *Client) readLatest(ctx context.Context, q Query, o *Object) error {
	if o.Name == "" || q.Local {
		return nil
	}
	o.Subresource = q.Subresource
	return c.Read(ctx, o)
}

// load reads the objects of one source, with Lists taken apart.
func (c *Client) load(ctx context.Context, q Query, s source) iter.Seq2[*Object, error] {
	return func(yield func(*Object, error) bool) {
		r, err := s.open(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		defer r.Close()
		for doc, err := range documents(r, s.name) {
			var u *unstructured.Unstructured
			if err == nil && q.Validate {
				err = validateHeader(doc, s.name)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if u, err = decodeManifest(doc, s.name); err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			for _, item := range flatten(u) {
				o, err := c.place(ctx, q, item, s.name)
				if !yield(o, err) {
					return
				}
			}
		}
	}
}

// flatten takes Lists apart, also within each other.
func flatten(u *unstructured.Unstructured) []*unstructured.Unstructured {
	if !u.IsList() {
		return []*unstructured.Unstructured{u}
	}
	var out []*unstructured.Unstructured
	_ = u.EachListItem(func(item runtimeObject) error {
		out = append(out, flatten(item.(*unstructured.Unstructured))...)
		return nil
	})
	return out
}

// place gives an object its mapping and namespace.
func (c *Client) place(ctx context.Context, q Query, u *unstructured.Unstructured, name string) (*Object, error) {
	o := &Object{Unstructured: u, Namespace: u.GetNamespace(), Name: u.GetName(), Source: name}
	if q.Local {
		return o, c.setNamespace(q, o)
	}
	mapper, err := c.Mapper(ctx)
	if err != nil {
		return nil, fmt.Errorf("unable to recognize %q: %v", name, err)
	}
	if o.Mapping, err = mapper.ByGVK(ctx, u.GroupVersionKind()); err != nil {
		if meta.IsNoMatchError(err) {
			return nil, fmt.Errorf("resource mapping not found for name: %q namespace: %q from %q: %w\nensure CRDs are installed first", o.Name, o.Namespace, name, err)
		}
		return nil, fmt.Errorf("unable to recognize %q: %v", name, err)
	}
	return o, c.setNamespace(q, o)
}

func (c *Client) setNamespace(q Query, o *Object) error {
	if !o.Namespaced() {
		o.Namespace = ""
		o.SetNamespace("")
		return nil
	}
	ns := q.Namespace
	if ns == "" {
		ns = c.Namespace
	}
	if o.Namespace == "" {
		o.Namespace = ns
		o.SetNamespace(ns)
	}
	if c.NamespaceExplicit && !q.AllNamespaces && o.Namespace != ns {
		return fmt.Errorf("the namespace from the provided object %q does not match the namespace %q. You must pass '--namespace=%s' to perform this operation.", o.Namespace, ns, o.Namespace)
	}
	return nil
}

// aggregate is nil for no errors, the error itself for one.
func aggregate(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return utilerrors.NewAggregate(errs)
}

// ReadRaw gets one object in the form that accept asks for.
func (c *Client) ReadRaw(ctx context.Context, t Target, subresource, accept string, extra ...string) ([]byte, error) {
	query := ListQuery(metav1.ListOptions{})
	for i := 0; i+1 < len(extra); i += 2 {
		query.Set(extra[i], extra[i+1])
	}
	body, err := c.Do(ctx, Request{Path: t.Mapping.Path(t.Namespace, t.Name, subresource), Query: query, Accept: accept, Resource: t.Mapping.GroupResource(), Name: t.Name})
	return body, c.NamespaceError(ctx, t.Namespace, err)
}

// OneNamed tells whether a Query names exactly one object: one name, or one file that is no directory.
func (c *Client) OneNamed(q Query) (bool, error) {
	if q.FromFiles() {
		_, single, err := c.sources(q)
		return single, err
	}
	p, err := parseArgs(q.Args)
	return len(p.tuples)+len(p.names) == 1, err
}
