package schema

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
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
		return c, nil
	}))
	return f.(func() (managedfields.TypeConverter, error))()
}
