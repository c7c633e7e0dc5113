package resource

import (
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/all"
)

var kinds = sync.OnceValue(func() map[schema.GroupVersionKind]*api.Kind {
	m := map[schema.GroupVersionKind]*api.Kind{}
	for _, k := range all.Kinds() {
		m[k.GVK()] = k
	}
	return m
})

// Kind gives the built-in kind of an object; for any other one, such as a custom resource, a kind without facets.
func (o *Object) Kind() *api.Kind {
	gvk := o.GroupVersionKind()
	if o.Mapping != nil {
		gvk = o.Mapping.GVK
	}
	if k := kinds()[gvk]; k != nil {
		return k
	}
	return &api.Kind{GroupVersion: gvk.GroupVersion(), Kind: gvk.Kind, CustomResource: true}
}

// Typed gives the object as the Go type of its kind, and that kind; for a kind that is not built in, the object as it is.
func (o *Object) Typed() (api.Object, *api.Kind, error) {
	k := o.Kind()
	if k.New == nil {
		return o.Unstructured, k, nil
	}
	typed := k.New()
	if err := o.Into(typed); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", o.KindName(), err)
	}
	typed.GetObjectKind().SetGroupVersionKind(k.GVK())
	return typed, k, nil
}

// PodObject gives a pod with its kind.
func PodObject(pod *corev1.Pod) (api.Object, *api.Kind, error) {
	k := kinds()[corev1.SchemeGroupVersion.WithKind("Pod")]
	if k == nil {
		return nil, nil, errors.New("the kind Pod is not built in")
	}
	return pod, k, nil
}
