package apiserver

import (
	"encoding/json"
	"reflect"

	"github.com/kubeskiff/skiff/pkg/api"
)

// statusPatched applies a strategic merge patch that is about the status alone, as the node agents send them for every change of
// a pod: only the status is taken apart and put together again. It is nil for all other patches.
func (q *request) statusPatched(old api.Object, patch []byte) (api.Object, error) {
	if !aboutStatus(patch, old) {
		return nil, nil
	}
	from := reflect.ValueOf(old).Elem()
	if from.Kind() != reflect.Struct || !from.FieldByName("Status").IsValid() {
		return nil, nil
	}
	before, after := q.res.New(), q.res.New()
	before.SetUID(old.GetUID())
	reflect.ValueOf(before).Elem().FieldByName("Status").Set(from.FieldByName("Status"))
	if err := q.strategicInto(q.res.GVK(), before, patch, after); err != nil {
		return nil, err
	}
	obj := old.DeepCopyObject().(api.Object)
	reflect.ValueOf(obj).Elem().FieldByName("Status").Set(reflect.ValueOf(after).Elem().FieldByName("Status"))
	if q.res.Default != nil {
		q.res.Default(obj)
	}
	return obj, nil
}

// aboutStatus says whether a patch names nothing but status, and perhaps the uid that the object has.
func aboutStatus(patch []byte, old api.Object) bool {
	var top map[string]json.RawMessage
	if json.Unmarshal(patch, &top) != nil || top["status"] == nil {
		return false
	}
	for key, value := range top {
		switch key {
		case "status":
		case "metadata":
			var meta map[string]string
			if json.Unmarshal(value, &meta) != nil || len(meta) != 1 || meta["uid"] != string(old.GetUID()) {
				return false
			}
		default:
			return false
		}
	}
	return true
}
