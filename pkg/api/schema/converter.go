package schema

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

var converters sync.Map // schema.GroupVersion → func() (managedfields.TypeConverter, error)

// TypeConverter gives the converter for the kinds of the given group versions, each built when an object of it first
// comes along. Unknown kinds fail as the real one's do.
func TypeConverter(gvs ...schema.GroupVersion) managedfields.TypeConverter {
	c := converter{}
	for _, gv := range gvs {
		c[gv] = true
	}
	return c
}

// converter hands each object to the converter of its group version.
type converter map[schema.GroupVersion]bool

func (c converter) ObjectToTyped(obj runtime.Object, opts ...typed.ValidationOptions) (*typed.TypedValue, error) {
	gv := obj.GetObjectKind().GroupVersionKind().GroupVersion()
	if !c[gv] {
		return nil, fmt.Errorf("no corresponding type for %v", obj.GetObjectKind().GroupVersionKind())
	}
	one, err := build(gv)
	if err != nil {
		return nil, err
	}
	return one.ObjectToTyped(obj, opts...)
}

// TypedToObject needs no schema.
func (c converter) TypedToObject(value *typed.TypedValue) (runtime.Object, error) {
	return managedfields.NewDeducedTypeConverter().TypedToObject(value)
}

func build(gv schema.GroupVersion) (managedfields.TypeConverter, error) {
	if f, ok := converters.Load(gv); ok {
		return f.(func() (managedfields.TypeConverter, error))()
	}
	f, _ := converters.LoadOrStore(gv, sync.OnceValues(func() (managedfields.TypeConverter, error) {
		models, err := Models(gv)
		if err != nil {
			return nil, err
		}
		c, err := managedfields.NewTypeConverter(models, false)
		if err != nil {
			return nil, fmt.Errorf("build the type converter of %s: %w", gv, err)
		}
		return c, nil
	}))
	return f.(func() (managedfields.TypeConverter, error))()
}
