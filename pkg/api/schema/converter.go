package schema

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

var converters sync.Map // schema.GroupVersionKind → func() (managedfields.TypeConverter, error)

// TypeConverter gives the converter for the kinds of the given group versions, each kind's built when an object of it first
// comes along. Unknown kinds fail as the real one's do.
func TypeConverter(gvs ...schema.GroupVersion) managedfields.TypeConverter {
	c := converter{}
	for _, gv := range gvs {
		c[gv] = true
	}
	return c
}

// converter hands each object to the converter of its kind.
type converter map[schema.GroupVersion]bool

func (c converter) ObjectToTyped(obj runtime.Object, opts ...typed.ValidationOptions) (*typed.TypedValue, error) {
	kind := obj.GetObjectKind().GroupVersionKind()
	if !c[kind.GroupVersion()] {
		return nil, fmt.Errorf("no corresponding type for %v", kind)
	}
	one, err := build(kind)
	if err != nil {
		return nil, err
	}
	return one.ObjectToTyped(obj, opts...)
}

// TypedToObject needs no schema.
func (c converter) TypedToObject(value *typed.TypedValue) (runtime.Object, error) {
	return managedfields.NewDeducedTypeConverter().TypedToObject(value)
}

func build(kind schema.GroupVersionKind) (managedfields.TypeConverter, error) {
	if f, ok := converters.Load(kind); ok {
		return f.(func() (managedfields.TypeConverter, error))()
	}
	index, err := open(kind.GroupVersion()).index()
	if err != nil {
		return nil, err
	}
	if index[kind] == "" { // not kept: clients could fill the memory with kinds that do not exist
		return nil, fmt.Errorf("no corresponding type for %v", kind)
	}
	f, _ := converters.LoadOrStore(kind, sync.OnceValues(func() (managedfields.TypeConverter, error) {
		models, err := Models(kind)
		if err != nil {
			return nil, err
		}
		c, err := managedfields.NewTypeConverter(models, false)
		if err != nil {
			return nil, fmt.Errorf("build the type converter of %s: %w", kind, err)
		}
		return trust(c, kind), nil
	}))
	return f.(func() (managedfields.TypeConverter, error))()
}

// trusting is the converter of one kind. It takes Go types at their word: they have no fields but those of their schema, so that
// comparing them with it, which takes longer than all else, would find nothing. What came without a type is still compared.
type trusting struct {
	managedfields.TypeConverter
	schema *smd.Schema
	ref    smd.TypeRef
}

// trust learns the kind's type of the converter's answer for an object without fields. A kind that does not even take that, as the
// events of a watch, is no object, and keeps the converter that it has.
func trust(c managedfields.TypeConverter, kind schema.GroupVersionKind) managedfields.TypeConverter {
	empty := &unstructured.Unstructured{}
	empty.SetGroupVersionKind(kind)
	v, err := c.ObjectToTyped(empty)
	if err != nil {
		return c
	}
	return trusting{c, v.Schema(), v.TypeRef()}
}

func (c trusting) ObjectToTyped(obj runtime.Object, opts ...typed.ValidationOptions) (*typed.TypedValue, error) {
	if _, untyped := obj.(runtime.Unstructured); untyped {
		return c.TypeConverter.ObjectToTyped(obj, opts...)
	}
	v, err := value.NewValueReflect(obj)
	if err != nil {
		return nil, fmt.Errorf("read %T: %w", obj, err)
	}
	return typed.AsTypedUnvalidated(v, c.schema, c.ref), nil
}
