package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	jsonpatch "github.com/evanphx/json-patch"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	"github.com/kubeskiff/skiff/pkg/api"
)

// maxPatchOperations is the most that one JSON patch may ask for.
const maxPatchOperations = 10000

// patch is PATCH in its four kinds; apply.go has the fourth.
func (s *Server) patch(q *request) error {
	kind := types.PatchType(patchMedia(q.Request))
	if err := q.patchable(kind); err != nil {
		return err
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	w, err := q.writeOptions(kind)
	if err != nil {
		return err
	}
	if kind == types.ApplyPatchType {
		return s.apply(q, w, body)
	}
	if !json.Valid(body) {
		return apierrors.NewBadRequest("invalid JSON patch")
	}
	next := func(old api.Object) (api.Object, error) {
		obj, err := q.patched(kind, old, body)
		if err != nil {
			return nil, err
		}
		return q.manage(obj, old, w.manager)
	}
	if q.part != nil && q.part.New != nil {
		return s.patchView(q, w, kind, body)
	}
	item, created, err := s.modify(q, w, change{next: next})
	if err != nil {
		return err
	}
	return s.respondItem(q, writeCode(created), item)
}

// patchable says whether the kind can be patched that way: custom resources know no strategic merge.
func (q *request) patchable(kind types.PatchType) error {
	accepted := []string{string(types.JSONPatchType), string(types.MergePatchType), string(types.StrategicMergePatchType), string(types.ApplyYAMLPatchType)}
	if q.res.CustomResource {
		accepted = []string{string(types.JSONPatchType), string(types.MergePatchType), string(types.ApplyYAMLPatchType)}
	}
	for _, a := range accepted {
		if a == string(kind) {
			return nil
		}
	}
	return unsupportedMedia(accepted...)
}

// patched gives old with a patch applied, decoded and defaulted.
func (q *request) patched(kind types.PatchType, old api.Object, patch []byte) (api.Object, error) {
	if kind == types.StrategicMergePatchType && q.path.subresource == "status" {
		if obj, err := q.statusPatched(old, patch); obj != nil || err != nil {
			return obj, err
		}
	}
	obj := q.res.New()
	if err := q.patchInto(kind, q.res.GVK(), old, patch, obj); err != nil {
		return nil, err
	}
	clearKind(obj)
	if q.res.Default != nil {
		q.res.Default(obj)
	}
	return obj, nil
}

// patchInto applies a patch to old, which is of the given kind, and decodes the outcome into obj.
func (q *request) patchInto(kind types.PatchType, gvk schema.GroupVersionKind, old api.Object, patch []byte, obj api.Object) error {
	if kind == types.StrategicMergePatchType {
		return q.strategicInto(gvk, old, patch, obj)
	}
	before, err := json.Marshal(old)
	if err != nil {
		return err
	}
	if _, typed := old.(protoMessage); typed {
		before = withKind(gvk, before)
	}
	after, strict, err := q.jsonPatched(kind, before, patch)
	if err != nil {
		return err
	}
	more, err := unmarshalJSON(after, obj, q.strictness())
	if err != nil {
		return invalidPatch(string(after), err)
	}
	return q.strictPatch(append(strict, more...), string(after))
}

// jsonPatched applies a JSON patch or a JSON merge patch.
func (q *request) jsonPatched(kind types.PatchType, before, patch []byte) (after []byte, strict []error, err error) {
	checked := q.strictness() != metav1.FieldValidationIgnore
	if kind == types.JSONPatchType {
		if checked {
			var ops []struct {
				Op    string `json:"op"`
				Path  string `json:"path"`
				From  string `json:"from"`
				Value any    `json:"value"`
			}
			if strict, err = kjson.UnmarshalStrict(patch, &ops); err != nil {
				return nil, nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
			}
			for i := range strict {
				strict[i] = fmt.Errorf("json patch %w", strict[i])
			}
		}
		ops, err := jsonpatch.DecodePatch(patch)
		if err != nil {
			return nil, nil, badRequest(err)
		}
		if len(ops) > maxPatchOperations {
			return nil, nil, apierrors.NewRequestEntityTooLargeError(
				fmt.Sprintf("The allowed maximum operations in a JSON patch is %d, got %d", maxPatchOperations, len(ops)))
		}
		if after, err = ops.Apply(before); err != nil {
			return nil, nil, unprocessable(err)
		}
		return after, strict, nil
	}
	if checked {
		v := map[string]any{}
		if strict, err = kjson.UnmarshalStrict(patch, &v); err != nil {
			return nil, nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
		}
	}
	after, err = jsonpatch.MergePatch(before, patch)
	if err != nil {
		return nil, nil, badRequest(err)
	}
	return after, strict, nil
}

func (q *request) strategicInto(gvk schema.GroupVersionKind, old api.Object, patch []byte, obj api.Object) error {
	before, err := runtime.DefaultUnstructuredConverter.ToUnstructured(old)
	if err != nil {
		return err
	}
	before["kind"], before["apiVersion"] = gvk.Kind, gvk.GroupVersion().String()
	wanted := map[string]any{}
	strict, err := unmarshalJSON(patch, &wanted, q.strictness())
	if err != nil {
		return badRequest(err)
	}
	text := fmt.Sprintf("%+v", wanted)
	after, err := strategicpatch.StrategicMergeMapPatch(before, wanted, obj)
	if err != nil {
		return strategicError(err)
	}
	checked := q.strictness() != metav1.FieldValidationIgnore
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(after, obj, checked); err != nil {
		unknown, ok := runtime.AsStrictDecodingError(err)
		if !ok {
			return invalidPatch(text, err)
		}
		strict = append(strict, unknown.Errors()...)
	}
	return q.strictPatch(strict, text)
}

// strictPatch answers what a strict reading of a patched object found: an error or warnings.
func (q *request) strictPatch(strict []error, text string) error {
	if len(strict) == 0 {
		return nil
	}
	if q.strictness() == metav1.FieldValidationStrict {
		return invalidPatch(text, runtime.NewStrictDecodingError(strict))
	}
	q.warnStrict(strict)
	return nil
}

func invalidPatch(patch string, err error) error {
	return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{field.Invalid(field.NewPath("patch"), patch, err.Error())})
}

func unprocessable(err error) error {
	return apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", err.Error(), 0, false)
}

// strategicError sorts the errors of a strategic merge: a bad patch, or one that does not fit the object.
func strategicError(err error) error {
	for _, bad := range []error{
		mergepatch.ErrBadJSONDoc, mergepatch.ErrBadPatchFormatForPrimitiveList, mergepatch.ErrBadPatchFormatForRetainKeys,
		mergepatch.ErrBadPatchFormatForSetElementOrderList, mergepatch.ErrUnsupportedStrategicMergePatchFormat,
	} {
		if errors.Is(err, bad) {
			return badRequest(err)
		}
	}
	if errors.Is(err, mergepatch.ErrNoListOfLists) || errors.Is(err, mergepatch.ErrPatchContentNotMatchRetainKeys) {
		return unprocessable(err)
	}
	return err
}
