package apiserver

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/api"
)

// apply is server-side apply: the body says which fields its manager wants, and the object is made if it is not there.
func (s *Server) apply(q *request, w writeOptions, body []byte) error {
	if _, err := yaml.YAMLToJSON(body); err != nil {
		return apierrors.NewBadRequest(fmt.Sprintf("error encoding patch: %v", err))
	}
	if q.part != nil && q.part.New != nil {
		return apierrors.NewBadRequest(fmt.Sprintf("%s/%s cannot be applied", q.path.resource, q.path.subresource))
	}
	manager, err := q.res.manager(q.path.subresource)
	if err != nil {
		return err
	}
	next := func(old api.Object) (api.Object, error) {
		if old == nil {
			old = q.res.New()
		}
		wanted := &unstructured.Unstructured{Object: map[string]any{}}
		if err := yaml.Unmarshal(body, &wanted.Object); err != nil {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
		}
		out, err := manager.Apply(old, wanted, w.manager, w.force)
		if err != nil {
			return nil, err
		}
		if err := q.strictApply(body); err != nil {
			return nil, err
		}
		return q.applied(out, old)
	}
	item, created, err := s.modify(q, w, change{next: next, create: q.part == nil})
	if err != nil {
		return err
	}
	return s.respondItem(q, writeCode(created), item)
}

// applied makes what the field manager gives an object of the caller's own: where nothing changed, that is the stored one.
func (q *request) applied(out any, old api.Object) (api.Object, error) {
	obj, ok := out.(api.Object)
	if !ok {
		return nil, fmt.Errorf("apply to %s: not an object", q.res.Kind.Kind)
	}
	if obj == old {
		obj = old.DeepCopyObject().(api.Object)
	}
	clearKind(obj)
	return obj, nil
}

// strictApply finds keys that stand twice; unknown fields have failed in the merge already.
func (q *request) strictApply(body []byte) error {
	mode := q.strictness()
	if mode == metav1.FieldValidationIgnore {
		return nil
	}
	err := yaml.UnmarshalStrict(body, &map[string]any{})
	if err == nil {
		return nil
	}
	if mode == metav1.FieldValidationStrict {
		return apierrors.NewBadRequest(fmt.Sprintf("error strict decoding patch: %v", err))
	}
	q.warn.add(err.Error())
	return nil
}
