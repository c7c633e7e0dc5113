package apiserver

import (
	"fmt"
	"reflect"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/kubeskiff/skiff/pkg/api"
	apischema "github.com/kubeskiff/skiff/pkg/api/schema"
)

// managers hold a kind's field managers, one for the main resource and one for each subresource, made at first use:
// their schemas are large, and a cluster that has just started needs few of them.
type managers struct {
	mu     sync.Mutex
	bySub  map[string]*managedfields.FieldManager
	shapes shapes
}

// manager gives the field manager of a subresource ("" is the main resource).
func (r *resource) manager(sub string) (*managedfields.FieldManager, error) {
	r.managers.mu.Lock()
	defer r.managers.mu.Unlock()
	if m := r.managers.bySub[sub]; m != nil {
		return m, nil
	}
	t := typing{r.Kind}
	var converter managedfields.TypeConverter = apischema.TypeConverter(r.GroupVersion)
	if !apischema.Has(r.GroupVersion) {
		converter = managedfields.NewDeducedTypeConverter()
	}
	m, err := managedfields.NewDefaultFieldManager(converter, t, t, t, r.GVK(), r.GroupVersion, sub, r.resetFields(sub))
	if err != nil {
		return nil, fmt.Errorf("make the field manager of %s: %w", r.Kind.Kind, err)
	}
	if r.managers.bySub == nil {
		r.managers.bySub = map[string]*managedfields.FieldManager{}
	}
	r.managers.bySub[sub] = m
	return m, nil
}

// resetFields are those that a write of sub cannot change, and so cannot come to own.
func (r *resource) resetFields(sub string) map[fieldpath.APIVersion]fieldpath.Filter {
	var reset *fieldpath.Set
	switch {
	case sub == "" && r.Subresources["status"] != nil:
		reset = fieldpath.NewSet(fieldpath.MakePathOrDie("status"))
	case sub == "status":
		reset = fieldpath.NewSet(fieldpath.MakePathOrDie("spec"))
	default:
		return nil
	}
	return map[fieldpath.APIVersion]fieldpath.Filter{
		fieldpath.APIVersion(r.GroupVersion.String()): fieldpath.NewExcludeSetFilter(reset),
	}
}

// manage records who set the fields that differ between old (nil on create) and obj.
func (q *request) manage(obj, old api.Object, manager string) (api.Object, error) {
	m, err := q.res.manager(q.path.subresource)
	if err != nil {
		return nil, err
	}
	if old == nil {
		old = q.res.New()
	} else if q.path.subresource == "status" {
		if entries, ok := q.manageStatus(m, obj, old, manager); ok {
			obj.SetManagedFields(entries)
			return obj, nil
		}
	}
	out, ok := m.UpdateNoErrors(old, obj, manager).(api.Object)
	if !ok {
		return nil, fmt.Errorf("manage the fields of %s: not an object", q.res.Kind.Kind)
	}
	return out, nil
}

// manageNew is manage for an object that is to be created, with the outcome remembered by its shape.
func (q *request) manageNew(obj api.Object, manager string) (api.Object, error) {
	sum, ok := shape(obj)
	key := shapeKey{manager, sum}
	if ok {
		if e, known := q.res.managers.shapes.get(key); known {
			now := metav1.Now().Rfc3339Copy()
			e.Time = &now
			obj.SetManagedFields([]metav1.ManagedFieldsEntry{e})
			return obj, nil
		}
	}
	out, err := q.manage(obj, nil, manager)
	if err != nil || !ok {
		return out, err
	}
	if entries := out.GetManagedFields(); len(entries) == 1 {
		q.res.managers.shapes.put(key, entries[0])
	}
	return out, nil
}

// typing is a kind as the field manager wants to see it: something that makes, defaults and converts its objects.
type typing struct{ *api.Kind }

func (t typing) New(schema.GroupVersionKind) (runtime.Object, error) { return t.Kind.New(), nil }

func (t typing) Default(obj runtime.Object) {
	if o, ok := obj.(api.Object); ok && t.Kind.Default != nil {
		t.Kind.Default(o)
	}
}

// ConvertToVersion gives obj with its kind written in it. Stored objects, which lack it, are shared: so it is a copy of
// the outermost struct alone.
func (t typing) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	if u, ok := in.(*unstructured.Unstructured); ok {
		if t.CustomResource {
			return u, nil
		}
		out := t.Kind.New()
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, out); err != nil {
			return nil, err
		}
		out.GetObjectKind().SetGroupVersionKind(t.GVK())
		return out, nil
	}
	v := reflect.ValueOf(in).Elem()
	out := reflect.New(v.Type())
	out.Elem().Set(v)
	obj := out.Interface().(runtime.Object)
	obj.GetObjectKind().SetGroupVersionKind(t.GVK())
	return obj, nil
}

func (t typing) Convert(in, out, context any) error {
	return fmt.Errorf("%s is served in one version", t.Kind.Kind)
}

func (t typing) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

// keepTimes puts back the times of managed fields that say the same as before, so that a write that changes nothing
// else is seen to change nothing. It reports whether the two lists agree but for their times.
func keepTimes(obj, old api.Object) bool {
	now, before := obj.GetManagedFields(), old.GetManagedFields()
	if len(now) != len(before) {
		return false
	}
	for i := range now {
		a, b := now[i], before[i]
		same := a.Manager == b.Manager && a.Operation == b.Operation && a.APIVersion == b.APIVersion && a.Subresource == b.Subresource &&
			a.FieldsType == b.FieldsType && sameFields(a.FieldsV1, b.FieldsV1)
		if !same {
			return false
		}
	}
	kept := make([]metav1.ManagedFieldsEntry, len(now))
	copy(kept, now)
	for i := range kept {
		kept[i].Time = before[i].Time
	}
	obj.SetManagedFields(kept)
	return true
}

func sameFields(a, b *metav1.FieldsV1) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}
