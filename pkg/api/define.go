package api

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	corev1 "k8s.io/api/core/v1"
)

// Spec is what the author of a kind writes, on the concrete type T. The facets are those of Kind; see there.
// Where Kind says "old is nil", T's zero value (a nil pointer) is passed.
type Spec[T Object] struct {
	GroupVersion           schema.GroupVersion
	Kind, Resource         string
	Singular               string // default: the kind in lower case
	ShortNames, Categories []string
	Namespaced             bool
	Verbs                  []string
	List                   runtime.Object // an empty list: &appsv1.DeploymentList{}

	Default        func(obj T)
	Prepare        func(obj, old T)
	Validate       func(obj, old T) field.ErrorList
	Warn           func(obj, old T) []string
	Allocate       func(obj, old T, a Allocator) field.ErrorList
	CreateOnUpdate bool
	Hold           func(obj T) bool
	GracefulDelete func(obj T, opts *metav1.DeleteOptions) int64
	Fields         map[string]func(obj T) string
	Subresources   Subresources
	Deprecated     string

	Columns     *Table[T]
	Describe    func(ctx context.Context, w *DescribeWriter, c Reader, obj T) error
	Rollout     *Rollout
	Scale       *Scale
	PodTemplate func(obj T) *corev1.PodTemplateSpec
	PodSpec     func(obj T) *corev1.PodSpec
	PodSelector func(obj T) (labels.Selector, error)
	Expose      func(obj T) (Exposure, error)
	ForwardPort func(obj T, pod *corev1.Pod, port string) (number, target int32, err error)
}

// Table is Columns on the concrete type.
type Table[T Object] struct {
	Definitions []metav1.TableColumnDefinition
	Cells       func(obj T) []any
	Conditions  func(obj T) []metav1.TableRowCondition
}

// DefaultVerbs are the verbs of a kind that does not name its own.
var DefaultVerbs = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}

// Define checks a Spec and erases its type. It panics on a spec that cannot work: that is a broken program, found by
// the first test that lists the kinds.
func Define[T Object](s Spec[T]) *Kind {
	typ := reflect.TypeFor[T]()
	switch {
	case s.Kind == "" || s.Resource == "" || s.GroupVersion.Version == "":
		panic(fmt.Sprintf("define %s: group version, kind and resource are required", typ))
	case typ.Kind() != reflect.Pointer:
		panic(fmt.Sprintf("define %s: the type must be a pointer", s.Kind))
	case s.List == nil:
		panic(fmt.Sprintf("define %s: an empty list is required", s.Kind))
	}
	if s.Singular == "" {
		s.Singular = strings.ToLower(s.Kind)
	}
	if s.Verbs == nil {
		s.Verbs = DefaultVerbs
	}
	elem, list := typ.Elem(), reflect.TypeOf(s.List).Elem()
	return &Kind{
		GroupVersion: s.GroupVersion, Kind: s.Kind, ListKind: s.Kind + "List", Resource: s.Resource, Singular: s.Singular,
		ShortNames: s.ShortNames, Categories: s.Categories, Namespaced: s.Namespaced, Verbs: s.Verbs,
		New:            func() Object { return reflect.New(elem).Interface().(Object) },
		NewList:        func() runtime.Object { return reflect.New(list).Interface().(runtime.Object) },
		Default:        erase(s.Default),
		Prepare:        erasePair(s.Prepare),
		Validate:       erasePairTo(s.Validate),
		Warn:           erasePairTo(s.Warn),
		Allocate:       eraseAllocate(s.Allocate),
		CreateOnUpdate: s.CreateOnUpdate,
		Hold:           eraseTo(s.Hold),
		GracefulDelete: eraseGraceful(s.GracefulDelete),
		Fields:         eraseFields(s.Fields),
		Subresources:   s.Subresources,
		Deprecated:     s.Deprecated,
		Columns:        eraseTable(s.Columns),
		Describe:       eraseDescribe(s.Describe),
		Rollout:        s.Rollout,
		Scale:          s.Scale,
		PodTemplate:    eraseTo(s.PodTemplate),
		PodSpec:        eraseTo(s.PodSpec),
		PodSelector:    eraseToOrError(s.PodSelector),
		Expose:         eraseToOrError(s.Expose),
		ForwardPort:    eraseForward(s.ForwardPort),
	}
}

// as gives o as T; a nil interface becomes T's zero value.
func as[T Object](o Object) T {
	if o == nil {
		var zero T
		return zero
	}
	return o.(T)
}

func erase[T Object](f func(T)) func(Object) {
	if f == nil {
		return nil
	}
	return func(o Object) { f(as[T](o)) }
}

func eraseTo[T Object, R any](f func(T) R) func(Object) R {
	if f == nil {
		return nil
	}
	return func(o Object) R { return f(as[T](o)) }
}

func eraseToOrError[T Object, R any](f func(T) (R, error)) func(Object) (R, error) {
	if f == nil {
		return nil
	}
	return func(o Object) (R, error) { return f(as[T](o)) }
}

func eraseForward[T Object](f func(T, *corev1.Pod, string) (int32, int32, error)) func(Object, *corev1.Pod, string) (int32, int32, error) {
	if f == nil {
		return nil
	}
	return func(o Object, pod *corev1.Pod, port string) (int32, int32, error) { return f(as[T](o), pod, port) }
}

func erasePair[T Object](f func(obj, old T)) func(obj, old Object) {
	if f == nil {
		return nil
	}
	return func(obj, old Object) { f(as[T](obj), as[T](old)) }
}

func erasePairTo[T Object, R any](f func(obj, old T) R) func(obj, old Object) R {
	if f == nil {
		return nil
	}
	return func(obj, old Object) R { return f(as[T](obj), as[T](old)) }
}

func eraseAllocate[T Object](f func(obj, old T, a Allocator) field.ErrorList) func(obj, old Object, a Allocator) field.ErrorList {
	if f == nil {
		return nil
	}
	return func(obj, old Object, a Allocator) field.ErrorList { return f(as[T](obj), as[T](old), a) }
}

func eraseGraceful[T Object](f func(T, *metav1.DeleteOptions) int64) func(Object, *metav1.DeleteOptions) int64 {
	if f == nil {
		return nil
	}
	return func(o Object, opts *metav1.DeleteOptions) int64 { return f(as[T](o), opts) }
}

func eraseFields[T Object](m map[string]func(T) string) map[string]func(Object) string {
	out := make(map[string]func(Object) string, len(m))
	for name, f := range m {
		out[name] = eraseTo(f)
	}
	return out
}

func eraseTable[T Object](t *Table[T]) *Columns {
	if t == nil {
		return nil
	}
	return &Columns{Definitions: t.Definitions, Cells: eraseTo(t.Cells), Conditions: eraseTo(t.Conditions)}
}

func eraseDescribe[T Object](f func(context.Context, *DescribeWriter, Reader, T) error) func(context.Context, *DescribeWriter, Reader, Object) error {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, w *DescribeWriter, c Reader, o Object) error { return f(ctx, w, c, as[T](o)) }
}

// Part makes a subresource that is a part of its parent under rules of its own, such as status.
func Part[T Object](prepare func(obj, old T), validate func(obj, old T) field.ErrorList) *Subresource {
	return &Subresource{Verbs: []string{"get", "patch", "update"}, Prepare: erasePair(prepare), Validate: erasePairTo(validate)}
}

// View makes a subresource whose body is of another kind, B, beside the parent's, T.
func View[T, B Object](kind schema.GroupVersionKind, verbs []string, get func(T) (Object, error), set func(parent T, body B) error) *Subresource {
	typ := reflect.TypeFor[B]().Elem()
	s := &Subresource{Verbs: verbs, Kind: kind, New: func() Object { return reflect.New(typ).Interface().(Object) }}
	if get != nil {
		s.Get = func(o Object) (Object, error) { return get(as[T](o)) }
	}
	if set != nil {
		s.Set = func(parent, body Object) error { return set(as[T](parent), as[B](body)) }
	}
	return s
}

// Connect makes a subresource that leads to the kubelet.
func Connect(verbs ...string) *Subresource { return &Subresource{Verbs: verbs, Connect: true} }
