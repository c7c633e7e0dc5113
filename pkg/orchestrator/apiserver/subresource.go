package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
)

// serveSubresource finds the part that the path names and runs the verb on it.
func (s *Server) serveSubresource(q *request) error {
	q.part = q.res.Subresources[q.path.subresource]
	if q.part == nil && q.path.subresource == "scale" && q.res.Scale != nil {
		q.part = scaleOf(q.res.Kind)
	}
	if q.part == nil || q.path.name == "" {
		return notFoundPath()
	}
	if q.part.Connect {
		return s.connect(q)
	}
	if !slices.Contains(q.part.Verbs, q.path.verb) {
		return notAllowed()
	}
	view := q.part.New != nil
	switch q.path.verb {
	case "get":
		if view {
			return s.getView(q)
		}
		return s.get(q)
	case "update":
		if view {
			return s.updateView(q)
		}
		return s.update(q)
	case "patch":
		return s.patch(q)
	case "create":
		return s.createView(q)
	}
	return notAllowed()
}

// viewKind is the kind of a view's body.
func (q *request) viewKind() schema.GroupVersionKind {
	if q.part.Kind.Kind == "" {
		return q.res.GVK()
	}
	return q.part.Kind
}

// view renders a parent as the view.
func (q *request) view(parent api.Object) (api.Object, error) {
	if q.part.Get == nil {
		return nil, notAllowed()
	}
	body, err := q.part.Get(parent)
	if err != nil {
		return nil, err
	}
	body.GetObjectKind().SetGroupVersionKind(q.viewKind())
	return body, nil
}

func (s *Server) getView(q *request) error {
	item, err := s.store.Get(q.ctx, q.res.key(q.path.namespace, q.path.name))
	if err != nil {
		return q.res.storeError(err, q.path.name)
	}
	body, err := q.view(item.Object.(api.Object))
	if err != nil {
		return err
	}
	return s.respond(q, http.StatusOK, body)
}

// updateView is PUT of a view: the body is written into the parent.
func (s *Server) updateView(q *request) error {
	w, err := q.writeOptions("")
	if err != nil {
		return err
	}
	body := q.part.New()
	if err := q.decode(body, q.viewKind()); err != nil {
		return err
	}
	return s.writeView(q, w, func(api.Object) (api.Object, error) { return body, nil })
}

// patchView patches what the view of the parent shows.
func (s *Server) patchView(q *request, w writeOptions, kind types.PatchType, patch []byte) error {
	return s.writeView(q, w, func(parent api.Object) (api.Object, error) {
		before, err := q.view(parent)
		if err != nil {
			return nil, err
		}
		clearKind(before)
		after := q.part.New()
		if err := q.patchInto(kind, q.viewKind(), before, patch, after); err != nil {
			return nil, err
		}
		return after, nil
	})
}

// writeView changes the parent by what next makes of the view, and answers with the view of the outcome.
func (s *Server) writeView(q *request, w writeOptions, next func(parent api.Object) (api.Object, error)) error {
	if q.part.Set == nil {
		return notAllowed()
	}
	item, _, err := s.modify(q, w, change{next: func(old api.Object) (api.Object, error) {
		body, err := next(old)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(q.fitNamespace(body), q.fitName(body)); err != nil {
			return nil, err
		}
		if v := body.GetResourceVersion(); v != "" && v != old.GetResourceVersion() {
			return nil, apierrors.NewConflict(q.res.GroupResource(), q.path.name, errors.New(staleText))
		}
		obj := old.DeepCopyObject().(api.Object)
		if err := q.part.Set(obj, body); err != nil {
			return nil, err
		}
		return q.manage(obj, old, w.manager)
	}})
	if err != nil {
		return err
	}
	body, err := q.view(item.Object.(api.Object))
	if err != nil {
		return err
	}
	return s.respond(q, http.StatusOK, body)
}

// createView is POST to a subresource: a binding, an eviction, a token request.
func (s *Server) createView(q *request) error {
	w, err := q.writeOptions("")
	if err != nil {
		return err
	}
	body := q.part.New()
	if err := q.decode(body, q.viewKind()); err != nil {
		return err
	}
	if err := q.fitNamespace(body); err != nil {
		return err
	}
	if err := q.fitName(body); err != nil {
		return err
	}
	request := &admission.Request{
		Kind: q.res.Kind, Verb: admission.Create, Subresource: q.path.subresource, Namespace: q.path.namespace, Name: q.path.name,
		Object: body, User: q.user, DryRun: w.dryRun,
	}
	if err := admission.Admit(q.ctx, s.cfg.Admission, request); err != nil {
		return err
	}
	if err := admission.Validate(q.ctx, s.cfg.Admission, request); err != nil {
		return err
	}
	if q.path.subresource == "token" {
		return s.createToken(q, body)
	}
	if eviction, ok := body.(*policyv1.Eviction); ok {
		return s.evict(q, w, eviction)
	}
	if q.part.Set == nil {
		return notAllowed()
	}
	if err := s.setParent(q, w, body); err != nil {
		return err
	}
	return s.respondSuccess(q, http.StatusCreated)
}

// setParent writes a body into its parent; what the body itself may say, its Set has judged.
func (s *Server) setParent(q *request, w writeOptions, body api.Object) error {
	_, _, err := s.modify(q, w, change{uid: body.GetUID(), next: func(old api.Object) (api.Object, error) {
		obj := old.DeepCopyObject().(api.Object)
		if err := q.part.Set(obj, body); err != nil {
			return nil, err
		}
		return obj, nil
	}})
	return err
}

func (s *Server) respondSuccess(q *request, code int) error {
	return s.respond(q, code, &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess, Code: int32(code),
	})
}

// evict deletes the parent as a delete would, once its Set has written down why.
func (s *Server) evict(q *request, w writeOptions, eviction *policyv1.Eviction) error {
	opts := eviction.DeleteOptions
	if opts == nil {
		opts = &metav1.DeleteOptions{}
	}
	if w.dryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	w.dryRun = len(opts.DryRun) > 0
	if q.part.Set != nil {
		item, err := s.store.Get(q.ctx, q.res.key(q.path.namespace, q.path.name))
		if err != nil {
			return q.res.storeError(err, q.path.name)
		}
		if err := q.preconditions(opts, item.Object.(api.Object)); err != nil {
			return err
		}
		if err := s.setParent(q, w, eviction); err != nil {
			return err
		}
		// The write above moved the revision that the caller may have named.
		if p := opts.Preconditions; p != nil && p.ResourceVersion != nil {
			opts.Preconditions = &metav1.Preconditions{UID: p.UID}
		}
	}
	if _, _, err := s.erase(q, q.path.name, opts); err != nil {
		return err
	}
	return s.respondSuccess(q, http.StatusCreated)
}

// scaleOf is the scale view of a kind that says where its counts lie.
func scaleOf(kind *api.Kind) *api.Subresource {
	return &api.Subresource{
		Verbs: []string{"get", "patch", "update"}, Kind: autoscalingv1.SchemeGroupVersion.WithKind("Scale"),
		New: func() api.Object { return &autoscalingv1.Scale{} },
		Get: func(parent api.Object) (api.Object, error) { return readScale(kind, parent) },
		Set: func(parent, body api.Object) error { return writeScale(kind, parent, body.(*autoscalingv1.Scale)) },
	}
}

func readScale(kind *api.Kind, parent api.Object) (api.Object, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(parent)
	if err != nil {
		return nil, err
	}
	spec, _, _ := unstructured.NestedInt64(content, splitPath(kind.Scale.Spec)...)
	status, _, _ := unstructured.NestedInt64(content, splitPath(kind.Scale.Status)...)
	scale := &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{
			Name: parent.GetName(), Namespace: parent.GetNamespace(), UID: parent.GetUID(),
			ResourceVersion: parent.GetResourceVersion(), CreationTimestamp: parent.GetCreationTimestamp(),
		},
		Spec:   autoscalingv1.ScaleSpec{Replicas: int32(spec)},
		Status: autoscalingv1.ScaleStatus{Replicas: int32(status)},
	}
	if kind.PodSelector != nil {
		if selector, err := kind.PodSelector(parent); err == nil {
			scale.Status.Selector = selector.String()
		}
	}
	return scale, nil
}

func writeScale(kind *api.Kind, parent api.Object, scale *autoscalingv1.Scale) error {
	if scale.Spec.Replicas < 0 {
		return apierrors.NewInvalid(autoscalingv1.SchemeGroupVersion.WithKind("Scale").GroupKind(), scale.Name, field.ErrorList{
			field.Invalid(field.NewPath("spec", "replicas"), scale.Spec.Replicas, "must be greater than or equal to 0"),
		})
	}
	patch := any(scale.Spec.Replicas)
	path := splitPath(kind.Scale.Spec)
	for _, name := range slices.Backward(path) {
		patch = map[string]any{name: patch}
	}
	data, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, parent); err != nil {
		return fmt.Errorf("set the scale of %s: %w", parent.GetName(), err)
	}
	return nil
}
