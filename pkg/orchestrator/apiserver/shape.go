package apiserver

import (
	"hash/maphash"
	"reflect"
	"sync"

	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubeskiff/skiff/pkg/api"
)

// shape sums up which fields of an object are set: the structure, the keys of maps, and the plain values directly in list
// elements, by which lists are keyed. Two new objects of one kind and shape own the same fields, whatever the values, so
// the field manager need be asked only once for the pods of a ReplicaSet or the events of a kind. ok is false for objects
// with free-form content.
func shape(obj api.Object) (sum uint64, ok bool) {
	if _, typed := obj.(protoMessage); !typed || len(obj.GetManagedFields()) > 0 {
		return 0, false
	}
	w := shaper{ok: true}
	sum = w.value(reflect.ValueOf(obj).Elem(), false)
	return sum, w.ok
}

var shapeSeed = maphash.MakeSeed()

type shaper struct{ ok bool }

// Types that are one value to the API, though they have parts.
var (
	typeTime      = reflect.TypeFor[metav1.Time]()
	typeMicroTime = reflect.TypeFor[metav1.MicroTime]()
	typeQuantity  = reflect.TypeFor[quantity.Quantity]()
	typeIntStr    = reflect.TypeFor[intstr.IntOrString]()
	typeRaw       = reflect.TypeFor[runtime.RawExtension]()
)

func mix(h, v uint64) uint64 { return (h^v)*0x9e3779b97f4a7c15 + h>>29 }

// value sums up v; element says that it stands directly in a list, or in a struct that does.
func (w *shaper) value(v reflect.Value, element bool) uint64 {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return 1
		}
		return mix(2, w.value(v.Elem(), element))
	case reflect.Struct:
		return w.structure(v, element)
	case reflect.Slice:
		return w.slice(v)
	case reflect.Map:
		return w.mapping(v)
	case reflect.Interface:
		w.ok = w.ok && v.IsNil()
		return 3
	}
	if v.IsZero() {
		return 4
	}
	if !element {
		return 5
	}
	switch v.Kind() {
	case reflect.String:
		return mix(6, maphash.String(shapeSeed, v.String()))
	case reflect.Int, reflect.Int32, reflect.Int64:
		return mix(7, uint64(v.Int()))
	}
	return 8
}

func (w *shaper) structure(v reflect.Value, element bool) uint64 {
	switch v.Type() {
	case typeTime, typeMicroTime, typeQuantity, typeIntStr:
		if v.IsZero() {
			return 9
		}
		return 10
	case typeRaw:
		w.ok = w.ok && v.IsZero()
		return 11
	}
	h := uint64(12)
	t := v.Type()
	for i := range v.NumField() {
		f := v.Field(i)
		direct := element && (t.Field(i).Anonymous || f.Kind() != reflect.Struct)
		h = mix(h, w.value(f, direct))
	}
	return h
}

func (w *shaper) slice(v reflect.Value) uint64 {
	if v.IsNil() {
		return 13
	}
	h := mix(14, uint64(min(v.Len(), 1)))
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return h
	}
	for i := range v.Len() {
		h = mix(h, w.value(v.Index(i), true))
	}
	return h
}

// mapping does not depend on the order in which the map is read.
func (w *shaper) mapping(v reflect.Value) uint64 {
	if v.IsNil() {
		return 15
	}
	h := uint64(16 + v.Len())
	for it := v.MapRange(); it.Next(); {
		h += mix(maphash.String(shapeSeed, it.Key().String()), w.value(it.Value(), false))
	}
	return h
}

// shapes remembers the managed fields of new objects by manager and shape. It is emptied when it is full.
type shapes struct {
	mu   sync.Mutex
	seen map[shapeKey]metav1.ManagedFieldsEntry
}

type shapeKey struct {
	manager string
	sum     uint64
}

const maxShapes = 512

func (s *shapes) get(k shapeKey) (metav1.ManagedFieldsEntry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.seen[k]
	return e, ok
}

func (s *shapes) put(k shapeKey, e metav1.ManagedFieldsEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || len(s.seen) >= maxShapes {
		s.seen = make(map[shapeKey]metav1.ManagedFieldsEntry)
	}
	s.seen[k] = e
}
