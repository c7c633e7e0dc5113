package apiserver

import (
	"errors"
	"net/http"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// Bounds of a requested token's life, those of the real server.
const (
	minTokenSeconds     = 10 * 60
	maxTokenSeconds     = 1 << 32
	defaultTokenSeconds = 60 * 60
)

// createToken answers a TokenRequest: a token for the parent, which is a service account.
func (s *Server) createToken(q *request, body api.Object) error {
	review, ok := body.(*authenticationv1.TokenRequest)
	if !ok || s.cfg.SignToken == nil {
		return apierrors.NewBadRequest("this server signs no tokens")
	}
	if review.Name != "" && review.Name != q.path.name {
		return q.fitName(review)
	}
	item, err := s.store.Get(q.ctx, q.res.key(q.path.namespace, q.path.name))
	if err != nil {
		return q.res.storeError(err, q.path.name)
	}
	parent := item.Object.(api.Object)
	seconds := int64(defaultTokenSeconds)
	if e := review.Spec.ExpirationSeconds; e != nil {
		seconds = *e
	}
	if errs := validateToken(seconds); len(errs) > 0 {
		return apierrors.NewInvalid(q.part.Kind.GroupKind(), "", errs)
	}
	now := time.Now()
	ask := TokenRequest{
		Namespace: parent.GetNamespace(), Name: parent.GetName(), UID: string(parent.GetUID()),
		Audiences: review.Spec.Audiences, Expires: now.Add(time.Duration(seconds) * time.Second),
	}
	if len(ask.Audiences) == 0 {
		ask.Audiences = []string{s.cfg.Issuer}
	}
	if ref := review.Spec.BoundObjectRef; ref != nil {
		if err := s.bindToken(q, &ask, ref); err != nil {
			return err
		}
	}
	if review.Status.Token, err = s.cfg.SignToken(q.ctx, ask); err != nil {
		return apierrors.NewInternalError(err)
	}
	review.Status.ExpirationTimestamp = metav1.Time{Time: ask.Expires}
	review.Spec.Audiences, review.Spec.ExpirationSeconds = ask.Audiences, &seconds
	review.ObjectMeta = metav1.ObjectMeta{Name: parent.GetName(), Namespace: parent.GetNamespace(), CreationTimestamp: metav1.NewTime(now)}
	review.GetObjectKind().SetGroupVersionKind(q.part.Kind)
	if len(q.query["dryRun"]) > 0 {
		review.Status.Token = ""
	}
	return s.respond(q, http.StatusCreated, review)
}

func validateToken(seconds int64) field.ErrorList {
	path := field.NewPath("spec", "expirationSeconds")
	switch {
	case seconds < minTokenSeconds:
		return field.ErrorList{field.Invalid(path, seconds, "may not specify a duration less than 10 minutes")}
	case seconds > maxTokenSeconds:
		return field.ErrorList{field.Invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")}
	}
	return nil
}

// bindToken ties the token to an object: it must be there, and be the one that is meant.
func (s *Server) bindToken(q *request, ask *TokenRequest, ref *authenticationv1.BoundObjectReference) error {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return badRequest(err)
	}
	res := s.resources.byGVK[gv.WithKind(ref.Kind)]
	if res == nil {
		return apierrors.NewBadRequest("cannot bind token for serviceaccount " + q.path.name + " to object of type " + gv.WithKind(ref.Kind).String())
	}
	key := store.Key{Resource: res.storage, Name: ref.Name}
	if res.Namespaced {
		key.Namespace = q.path.namespace
	}
	item, err := s.store.Get(q.ctx, key)
	if err != nil {
		return res.storeError(err, ref.Name)
	}
	uid := item.Object.(api.Object).GetUID()
	if ref.UID != "" && ref.UID != uid {
		return apierrors.NewConflict(schema.GroupResource{Group: gv.Group, Resource: ref.Kind}, q.path.name, errors.New("the UID in the bound object reference ("+string(ref.UID)+") does not match the UID in record. The object might have been deleted and then recreated"))
	}
	ask.BoundKind, ask.BoundName, ask.BoundUID = ref.Kind, ref.Name, string(uid)
	return nil
}

func lower(s string) string { return strings.ToLower(s) }
