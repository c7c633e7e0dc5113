package apiserver

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/managedfields"

	"github.com/kubeskiff/skiff/pkg/api"
)

// maxEntries is how many managers the field manager keeps apart: with more it joins those that wrote first.
const maxEntries = 10

// manageStatus gives the managed fields after a write of the status; it does not know objects that have no spec and status.
//
// A write of the status cannot come to own anything of the spec (see resetFields), so the field manager need not compare that. Where the
// metadata stay as well it need not look at them either, nor at the entries of managers that own nothing of the status.
func (q *request) manageStatus(m *managedfields.FieldManager, obj, old api.Object, manager string) (entries []metav1.ManagedFieldsEntry, ok bool) {
	live, next := statusOnly(old), statusOnly(obj)
	if live == nil || next == nil {
		return nil, false
	}
	entries = old.GetManagedFields()
	if len(entries) == 0 || len(entries) >= maxEntries || !sameMeta(obj, old) {
		return m.UpdateNoErrors(live, next, manager).(api.Object).GetManagedFields(), true
	}
	var settled, open []metav1.ManagedFieldsEntry
	for _, e := range entries {
		if q.ownsNoStatus(e, manager) {
			settled = append(settled, e)
		} else {
			open = append(open, e)
		}
	}
	bare(live).ManagedFields = open
	bare(next)
	// To the field manager an object without a UID is a new one: one with neither UID nor managed fields is to have some.
	return inOrder(append(settled, m.UpdateNoErrors(live, next, manager).(api.Object).GetManagedFields()...)), true
}

// ownsNoStatus says that a write of the status by manager leaves an entry as it is.
func (q *request) ownsNoStatus(e metav1.ManagedFieldsEntry, manager string) bool {
	return e.FieldsV1 != nil && e.FieldsType == "FieldsV1" && e.APIVersion == q.res.GroupVersion.String() &&
		(e.Manager != manager || e.Subresource != q.path.subresource) && !strings.Contains(e.FieldsV1.GetRawString(), `"f:status"`)
}

// statusOnly is an object without its spec, sharing the rest. It is nil for objects that have no spec and status.
func statusOnly(obj api.Object) api.Object {
	v := reflect.ValueOf(obj).Elem()
	if v.Kind() != reflect.Struct || !v.FieldByName("Spec").IsValid() || !v.FieldByName("Status").IsValid() {
		return nil
	}
	out := reflect.New(v.Type())
	out.Elem().Set(v)
	out.Elem().FieldByName("Spec").SetZero()
	return out.Interface().(api.Object)
}

// bare empties the metadata of an object that is not shared.
func bare(obj api.Object) *metav1.ObjectMeta {
	meta := obj.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta)
	*meta = metav1.ObjectMeta{}
	return meta
}

// sameMeta says whether two states of an object agree in all metadata that managers can own.
func sameMeta(a, b api.Object) bool {
	return a.GetGenerateName() == b.GetGenerateName() && maps.Equal(a.GetLabels(), b.GetLabels()) && maps.Equal(a.GetAnnotations(), b.GetAnnotations()) &&
		slices.Equal(a.GetFinalizers(), b.GetFinalizers()) && reflect.DeepEqual(a.GetOwnerReferences(), b.GetOwnerReferences()) &&
		a.GetDeletionTimestamp().Equal(b.GetDeletionTimestamp()) && reflect.DeepEqual(a.GetDeletionGracePeriodSeconds(), b.GetDeletionGracePeriodSeconds())
}

// inOrder sorts entries as the field manager does.
func inOrder(entries []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	seconds := func(t *metav1.Time) int64 {
		if t == nil {
			return 0
		}
		return t.Unix()
	}
	slices.SortFunc(entries, func(a, b metav1.ManagedFieldsEntry) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(seconds(a.Time), seconds(b.Time)), cmp.Compare(a.Manager, b.Manager),
			cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Subresource, b.Subresource))
	})
	return entries
}
