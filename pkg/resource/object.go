package resource

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// Object is one object on its way in or out. Without a Mapping it never saw a server (--local).
type Object struct {
	*unstructured.Unstructured
	Mapping *Mapping
	// Namespace and Name are where it lives; the object may not be there yet.
	Namespace, Name string
	// Source is the file, URL or "STDIN" that it came from.
	Source string
	// Subresource that it was read from.
	Subresource string
}

// KindName is what messages call it: "deployment.apps/web".
func (o *Object) KindName() string {
	if o.Mapping != nil {
		return o.Mapping.KindName(o.Name)
	}
	gvk := o.GroupVersionKind()
	m := Mapping{GVK: gvk}
	return m.KindName(o.Name)
}

// ResourceName is "deployments/web".
func (o *Object) ResourceName() string {
	if o.Mapping != nil {
		return o.Mapping.GVR.Resource + "/" + o.Name
	}
	return strings.ToLower(o.GetKind()) + "/" + o.Name
}

// Namespaced tells whether it lives in a namespace.
func (o *Object) Namespaced() bool {
	if o.Mapping != nil {
		return o.Mapping.Namespaced
	}
	return o.Namespace != ""
}

// Into fills a typed object. It goes by way of JSON: what converts maps directly copies a table of all fields for each new one, which
// for the first Pod of a program takes 10 ms.
func (o *Object) Into(typed any) error {
	data, err := json.Marshal(o.Unstructured.Object)
	if err != nil {
		return err
	}
	return utiljson.Unmarshal(data, typed)
}

// Set takes what the server answered.
func (o *Object) Set(body []byte) error {
	u, err := decode(body)
	if err != nil {
		return err
	}
	o.replace(u)
	return nil
}

func (o *Object) replace(u *unstructured.Unstructured) {
	o.Unstructured = u
	if name := u.GetName(); name != "" {
		o.Name = name
	}
	if ns := u.GetNamespace(); ns != "" {
		o.Namespace = ns
	}
}

// Copy is a deep copy.
func (o *Object) Copy() *Object {
	c := *o
	if o.Unstructured != nil {
		c.Unstructured = o.Unstructured.DeepCopy()
	}
	return &c
}

// decode reads one JSON object; integers stay integers.
func decode(body []byte) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(body); err != nil {
		return nil, err
	}
	return u, nil
}

// FromTyped makes an unstructured object of a typed one, which must carry its kind. Empty fields that a typed value cannot
// leave out (creationTimestamp: null, an empty status) stay as its JSON has them.
func FromTyped(typed any) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(typed)
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	return decode(data)
}
