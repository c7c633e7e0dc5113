package resource

import (
	"encoding/json"
	"fmt"

	jsonpatch "github.com/evanphx/json-patch"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// ThreeWay gives the patch that makes of current what modified wants and drops what original had and modified lacks. A kind
// of our Scheme is merged by its struct tags, any other as plain JSON. With overwrite, changes that others made give way.
func ThreeWay(gvk schema.GroupVersionKind, original, modified, current []byte, overwrite bool) ([]byte, types.PatchType, error) {
	patch, typ, err := threeWay(gvk, original, modified, current, overwrite)
	if err != nil {
		return nil, typ, fmt.Errorf("creating patch with:\noriginal:\n%s\nmodified:\n%s\ncurrent:\n%s\nfor: %w", original, modified, current, err)
	}
	return patch, typ, nil
}

func threeWay(gvk schema.GroupVersionKind, original, modified, current []byte, overwrite bool) ([]byte, types.PatchType, error) {
	typed, err := Scheme().New(gvk)
	if err == nil {
		lookup, err := strategicpatch.NewPatchMetaFromStruct(typed)
		if err != nil {
			return nil, "", err
		}
		patch, err := strategicpatch.CreateThreeWayMergePatch(original, modified, current, lookup, overwrite)
		return patch, types.StrategicMergePatchType, err
	}
	if !runtime.IsNotRegisteredError(err) {
		return nil, "", err
	}
	patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(original, modified, current,
		mergepatch.RequireKeyUnchanged("apiVersion"), mergepatch.RequireKeyUnchanged("kind"), mergepatch.RequireMetadataKeyUnchanged("name"))
	if mergepatch.IsPreconditionFailed(err) {
		err = fmt.Errorf("At least one of apiVersion, kind and name was changed")
	}
	return patch, types.MergePatchType, err
}

// TwoWay gives the patch from one form of an object to another.
func TwoWay(gvk schema.GroupVersionKind, before, after []byte) ([]byte, types.PatchType, error) {
	preconditions := []mergepatch.PreconditionFunc{
		mergepatch.RequireKeyUnchanged("apiVersion"), mergepatch.RequireKeyUnchanged("kind"), mergepatch.RequireMetadataKeyUnchanged("name"),
		mergepatch.RequireKeyUnchanged("managedFields"),
	}
	typed, err := Scheme().New(gvk)
	if err == nil {
		patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, typed, preconditions...)
		return patch, types.StrategicMergePatchType, err
	}
	patch, err := jsonpatch.CreateMergePatch(before, after)
	if err != nil {
		return nil, "", err
	}
	var m map[string]any
	if err := json.Unmarshal(patch, &m); err != nil {
		return nil, "", err
	}
	for _, p := range preconditions {
		if !p(m) {
			return nil, "", mergepatch.NewErrPreconditionFailed(m)
		}
	}
	return patch, types.MergePatchType, nil
}

// PatchLocally applies a patch without a server.
func PatchLocally(gvk schema.GroupVersionKind, current, patch []byte, typ types.PatchType) ([]byte, error) {
	switch typ {
	case types.StrategicMergePatchType:
		typed, err := Scheme().New(gvk)
		if err != nil {
			return nil, err
		}
		return strategicpatch.StrategicMergePatch(current, patch, typed)
	case types.JSONPatchType:
		decoded, err := jsonpatch.DecodePatch(patch)
		if err != nil {
			return nil, err
		}
		return decoded.Apply(current)
	}
	return jsonpatch.MergePatch(current, patch)
}
