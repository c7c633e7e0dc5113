package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Claim says how an owner adopts orphans that its selector matches and releases what it no longer matches.
type Claim struct {
	Owner    metav1.Object
	Kind     schema.GroupVersionKind
	Selector labels.Selector
	// Fresh reads the owner from the server: a cached owner may be gone already, and must not adopt then.
	Fresh func(ctx context.Context) (metav1.Object, error)
	// Patch sends a strategic merge patch to one of the objects.
	Patch func(ctx context.Context, name string, patch []byte) error
}

// Claimed gives those of objs that belong to the owner, after adoption and release. Objects of other owners are skipped; an
// object that vanished meanwhile is no error.
func Claimed[T metav1.Object](ctx context.Context, c Claim, objs []T) ([]T, error) {
	var claimed []T
	var errs []error
	var mayAdopt func() error
	for _, obj := range objs {
		if mayAdopt == nil {
			mayAdopt = c.recheckOnce(ctx)
		}
		mine, err := c.claim(ctx, obj, mayAdopt)
		if err != nil {
			errs = append(errs, err)
		}
		if mine {
			claimed = append(claimed, obj)
		}
	}
	return claimed, errors.Join(errs...)
}

func (c Claim) claim(ctx context.Context, obj metav1.Object, mayAdopt func() error) (bool, error) {
	matches := c.Selector.Matches(labels.Set(obj.GetLabels()))
	if ref := metav1.GetControllerOfNoCopy(obj); ref != nil {
		switch {
		case ref.UID != c.Owner.GetUID():
			return false, nil
		case matches:
			return true, nil
		case c.Owner.GetDeletionTimestamp() != nil:
			return false, nil
		}
		return false, IgnoreGone(c.release(ctx, obj))
	}
	if c.Owner.GetDeletionTimestamp() != nil || !matches || obj.GetDeletionTimestamp() != nil || obj.GetNamespace() != c.Owner.GetNamespace() {
		return false, nil
	}
	if err := mayAdopt(); err != nil {
		return false, fmt.Errorf("can't adopt %s/%s (%s): %w", obj.GetNamespace(), obj.GetName(), obj.GetUID(), err)
	}
	if err := c.adopt(ctx, obj); err != nil {
		return false, IgnoreGone(err)
	}
	return true, nil
}

func (c Claim) adopt(ctx context.Context, obj metav1.Object) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"ownerReferences": []metav1.OwnerReference{*metav1.NewControllerRef(c.Owner, c.Kind)},
		"uid":             obj.GetUID(),
	}})
	if err != nil {
		return fmt.Errorf("adopt %s: %w", obj.GetName(), err)
	}
	return c.Patch(ctx, obj.GetName(), patch)
}

func (c Claim) release(ctx context.Context, obj metav1.Object) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid":             obj.GetUID(),
		"ownerReferences": []any{map[string]any{"$patch": "delete", "uid": c.Owner.GetUID()}},
	}})
	if err != nil {
		return fmt.Errorf("release %s: %w", obj.GetName(), err)
	}
	err = c.Patch(ctx, obj.GetName(), patch)
	if apierrors.IsInvalid(err) {
		return nil // it has no such owner any more, or is another object by now
	}
	return err
}

// recheckOnce asks the server at most once per claim whether the owner is still the one and alive.
func (c Claim) recheckOnce(ctx context.Context) func() error {
	var done bool
	var result error
	return func() error {
		if done {
			return result
		}
		done = true
		fresh, err := c.Fresh(ctx)
		switch {
		case err != nil:
			result = err
		case fresh.GetUID() != c.Owner.GetUID():
			result = fmt.Errorf("original %v %v/%v is gone: got uid %v, wanted %v", c.Kind.Kind, c.Owner.GetNamespace(), c.Owner.GetName(), fresh.GetUID(), c.Owner.GetUID())
		case fresh.GetDeletionTimestamp() != nil:
			result = fmt.Errorf("%v/%v has just been deleted at %v", fresh.GetNamespace(), fresh.GetName(), fresh.GetDeletionTimestamp())
		}
		return result
	}
}

// IgnoreGone drops the error that says that an object does not exist: what was to be done to it is done.
func IgnoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// PatchType is how Claim's patches are to be sent.
const PatchType = types.StrategicMergePatchType
