package resource

import (
	"context"
	"encoding/json"
	"iter"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/klog/v2"
)

// Event is one event of a watch; Object is JSON, an object or a Table.
type Event struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

// Decode reads the event's object.
func (e Event) Decode() (*unstructured.Unstructured, error) { return decode(e.Object) }

// Watch gives events until the server, the connection or ctx ends them; the end itself is no error, as a watch may always end. An ERROR event ends it with its Status.
func (c *Client) Watch(ctx context.Context, t Target, opts metav1.ListOptions, accept string, extra ...string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		opts.Watch = true
		if t.Name != "" {
			opts.FieldSelector = "metadata.name=" + t.Name
		}
		query := ListQuery(opts)
		for i := 0; i+1 < len(extra); i += 2 {
			query.Set(extra[i], extra[i+1])
		}
		resp, err := c.Open(ctx, Request{Path: t.Mapping.Path(t.Namespace, ""), Query: query, Accept: accept, Resource: t.Mapping.GroupResource()})
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer resp.Body.Close()
		for dec := json.NewDecoder(resp.Body); ; {
			var e Event
			if err := dec.Decode(&e); err != nil {
				klog.V(4).Infof("watch of %s ended: %v", t.Mapping.GVR.Resource, err)
				return
			}
			if e.Type == "ERROR" {
				var status metav1.Status
				if json.Unmarshal(e.Object, &status) == nil && status.Kind == "Status" {
					yield(e, &apierrors.StatusError{ErrStatus: status})
					return
				}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}
