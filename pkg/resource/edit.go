package resource

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/api"
)

// EditPatch changes an object on its Go type and gives the patch that makes the same change on the server, nil if nothing changed.
func (o *Object) EditPatch(edit func(obj api.Object, kind *api.Kind) error) (edited api.Object, patch []byte, typ types.PatchType, err error) {
	obj, kind, err := o.Typed()
	if err != nil {
		return nil, nil, "", err
	}
	before, err := json.Marshal(obj)
	if err != nil {
		return nil, nil, "", fmt.Errorf("encode %s: %w", o.KindName(), err)
	}
	if err := edit(obj, kind); err != nil {
		return nil, nil, "", err
	}
	after, err := json.Marshal(obj)
	if err != nil {
		return nil, nil, "", fmt.Errorf("encode %s: %w", o.KindName(), err)
	}
	patch, typ, err = TwoWay(kind.GVK(), before, after)
	if string(patch) == "{}" {
		patch = nil
	}
	return obj, patch, typ, err
}
