package apiserver

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

// review is a kind that is asked and never stored.
func review[T api.Object](gv schema.GroupVersion, kind, resource string, namespaced bool, newBody func() T) *api.Kind {
	return &api.Kind{
		GroupVersion: gv, Kind: kind, ListKind: kind + "List", Resource: resource, Singular: lower(kind),
		Namespaced: namespaced, Verbs: []string{"create"}, New: func() api.Object { return newBody() },
	}
}

// addReviews serves the questions about users and their rights, which the server answers by itself.
func (s *Server) addReviews() {
	authn, authz := authenticationv1.SchemeGroupVersion, authorizationv1.SchemeGroupVersion
	add := func(kind *api.Kind, answer func(context.Context, *request, api.Object) (runtime.Object, error)) {
		if s.resources.byGVR[kind.GVR()] == nil {
			// Two of one name cannot be: it has just been looked up.
			_ = s.resources.add(&resource{Kind: kind, storage: storageName(kind.GroupResource()), answer: answer})
		}
	}
	add(review(authn, "SelfSubjectReview", "selfsubjectreviews", false, func() *authenticationv1.SelfSubjectReview { return &authenticationv1.SelfSubjectReview{} }), s.whoAmI)
	add(review(authn, "TokenReview", "tokenreviews", false, func() *authenticationv1.TokenReview { return &authenticationv1.TokenReview{} }), s.reviewToken)
	add(review(authz, "LocalSubjectAccessReview", "localsubjectaccessreviews", true, func() *authorizationv1.LocalSubjectAccessReview { return &authorizationv1.LocalSubjectAccessReview{} }), s.reviewLocal)
	add(review(authz, "SelfSubjectAccessReview", "selfsubjectaccessreviews", false, func() *authorizationv1.SelfSubjectAccessReview { return &authorizationv1.SelfSubjectAccessReview{} }), s.reviewSelf)
	add(review(authz, "SubjectAccessReview", "subjectaccessreviews", false, func() *authorizationv1.SubjectAccessReview { return &authorizationv1.SubjectAccessReview{} }), s.reviewSubject)
}

func userInfo(u *auth.User) authenticationv1.UserInfo {
	info := authenticationv1.UserInfo{Username: u.Name, UID: u.UID, Groups: u.Groups}
	for k, v := range u.Extra {
		if info.Extra == nil {
			info.Extra = map[string]authenticationv1.ExtraValue{}
		}
		info.Extra[k] = v
	}
	return info
}

func (s *Server) whoAmI(_ context.Context, q *request, obj api.Object) (runtime.Object, error) {
	out := obj.(*authenticationv1.SelfSubjectReview)
	out.CreationTimestamp = metav1.Now()
	out.Status = authenticationv1.SelfSubjectReviewStatus{UserInfo: userInfo(q.user)}
	out.GetObjectKind().SetGroupVersionKind(q.res.GVK())
	return out, nil
}

func (s *Server) reviewToken(ctx context.Context, q *request, obj api.Object) (runtime.Object, error) {
	out := obj.(*authenticationv1.TokenReview)
	if out.Spec.Token == "" {
		return nil, apierrors.NewBadRequest("token is required for TokenReview in authentication")
	}
	out.GetObjectKind().SetGroupVersionKind(q.res.GVK())
	out.Status = authenticationv1.TokenReviewStatus{}
	if s.cfg.TokenReviewer == nil {
		return out, nil
	}
	user, audiences, err := s.cfg.TokenReviewer(ctx, out.Spec.Token, out.Spec.Audiences)
	switch {
	case err != nil:
		out.Status.Error = err.Error()
	case user != nil:
		out.Status.Authenticated, out.Status.User, out.Status.Audiences = true, userInfo(user), audiences
	}
	return out, nil
}

func (s *Server) reviewSelf(ctx context.Context, q *request, obj api.Object) (runtime.Object, error) {
	out := obj.(*authorizationv1.SelfSubjectAccessReview)
	status, err := s.access(ctx, q, "SelfSubjectAccessReview", q.user, out.Spec.ResourceAttributes, out.Spec.NonResourceAttributes)
	out.Status = status
	out.GetObjectKind().SetGroupVersionKind(q.res.GVK())
	return out, err
}

func (s *Server) reviewSubject(ctx context.Context, q *request, obj api.Object) (runtime.Object, error) {
	out := obj.(*authorizationv1.SubjectAccessReview)
	status, err := s.subjectAccess(ctx, q, out.Spec)
	out.Status = status
	out.GetObjectKind().SetGroupVersionKind(q.res.GVK())
	return out, err
}

func (s *Server) reviewLocal(ctx context.Context, q *request, obj api.Object) (runtime.Object, error) {
	out := obj.(*authorizationv1.LocalSubjectAccessReview)
	if r := out.Spec.ResourceAttributes; r != nil && r.Namespace != q.path.namespace {
		return nil, apierrors.NewInvalid(q.res.GVK().GroupKind(), "", field.ErrorList{
			field.Invalid(field.NewPath("spec", "resourceAttributes", "namespace"), r.Namespace, "must match metadata.namespace"),
		})
	}
	status, err := s.subjectAccess(ctx, q, out.Spec)
	out.Status = status
	out.GetObjectKind().SetGroupVersionKind(q.res.GVK())
	return out, err
}

func (s *Server) subjectAccess(ctx context.Context, q *request, spec authorizationv1.SubjectAccessReviewSpec) (authorizationv1.SubjectAccessReviewStatus, error) {
	user := &auth.User{Name: spec.User, UID: spec.UID, Groups: spec.Groups}
	for k, v := range spec.Extra {
		if user.Extra == nil {
			user.Extra = map[string][]string{}
		}
		user.Extra[k] = v
	}
	if spec.User == "" && len(spec.Groups) == 0 {
		return authorizationv1.SubjectAccessReviewStatus{}, apierrors.NewInvalid(q.res.GVK().GroupKind(), "", field.ErrorList{
			field.Invalid(field.NewPath("spec", "user"), spec.User, "at least one of user or group must be specified"),
		})
	}
	return s.access(ctx, q, q.res.Kind.Kind, user, spec.ResourceAttributes, spec.NonResourceAttributes)
}

// access asks the authorizer on behalf of a user.
func (s *Server) access(ctx context.Context, q *request, kind string, user *auth.User, r *authorizationv1.ResourceAttributes, p *authorizationv1.NonResourceAttributes) (authorizationv1.SubjectAccessReviewStatus, error) {
	var status authorizationv1.SubjectAccessReviewStatus
	a := auth.Attributes{User: user}
	switch {
	case (r == nil) == (p == nil):
		text := "exactly one of nonResourceAttributes or resourceAttributes must be specified"
		return status, apierrors.NewInvalid(q.res.GVK().GroupKind(), "", field.ErrorList{field.Invalid(field.NewPath("spec", "resourceAttributes"), nil, text)})
	case r != nil:
		a.ResourceRequest, a.Verb, a.Group, a.Version, a.Resource = true, r.Verb, r.Group, r.Version, r.Resource
		a.Subresource, a.Namespace, a.Name = r.Subresource, r.Namespace, r.Name
	default:
		a.Verb, a.Path = p.Verb, p.Path
	}
	if s.cfg.Authorizer == nil {
		status.Allowed = true
		return status, nil
	}
	allowed, reason, err := s.cfg.Authorizer.Authorize(ctx, a)
	status.Allowed, status.Reason = allowed, reason
	if err != nil {
		status.EvaluationError = err.Error()
	}
	return status, nil
}
