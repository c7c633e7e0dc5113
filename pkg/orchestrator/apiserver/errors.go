package apiserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// quiet swallows net/http's own complaints (a client that hung up); ours reach the client as Status objects.
var quiet = log.New(io.Discard, "", 0)

// staleText is the conflict text of optimistic locking.
const staleText = "the object has been modified; please apply your changes to the latest version and try again"

// statusOf gives the Status that answers err. Whatever is no API error is a 500 with its own text.
func statusOf(err error) *metav1.Status {
	var api apierrors.APIStatus
	if errors.As(err, &api) {
		s := api.Status()
		s.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
		if s.Status == "" {
			s.Status = metav1.StatusFailure
		}
		if s.Code == 0 {
			s.Code = http.StatusInternalServerError
		}
		return &s
	}
	code, reason := int32(http.StatusInternalServerError), metav1.StatusReasonUnknown
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		code, reason = http.StatusGatewayTimeout, metav1.StatusReasonTimeout
	case errors.Is(err, store.ErrClosed):
		code, reason = http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable
	}
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Code: code, Reason: reason, Message: err.Error(),
	}
}

// fail answers with err's Status.
func (s *Server) fail(q *request, err error) {
	if errors.Is(err, errAnswered) {
		return
	}
	status := statusOf(err)
	if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		q.w.Header().Set("Retry-After", strconv.Itoa(int(status.Details.RetryAfterSeconds)))
	}
	if q.out.as != "" || q.out.media == "" {
		q.out = form{media: mediaJSON, pretty: q.out.pretty}
	}
	_ = s.respond(q, int(status.Code), status)
}

// errAnswered says that the handler has written an answer, or can write none.
var errAnswered = errors.New("answered")

func notFoundPath() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound,
		Message: "the server could not find the requested resource", Details: &metav1.StatusDetails{},
	}}
}

func notAllowed() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusMethodNotAllowed, Reason: metav1.StatusReasonMethodNotAllowed,
		Message: "the server does not allow this method on the requested resource", Details: &metav1.StatusDetails{},
	}}
}

// forbidden is the refusal of an authorizer, in the real one's words.
func forbidden(a auth.Attributes, reason string) error {
	user := ""
	if a.User != nil {
		user = a.User.Name
	}
	var text string
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	switch {
	case !a.ResourceRequest:
		text = fmt.Sprintf("User %q cannot %s path %q", user, a.Verb, a.Path)
	case a.Namespace != "":
		text = fmt.Sprintf("User %q cannot %s resource %q in API group %q in the namespace %q", user, a.Verb, resource, a.Group, a.Namespace)
	default:
		text = fmt.Sprintf("User %q cannot %s resource %q in API group %q at the cluster scope", user, a.Verb, resource, a.Group)
	}
	if reason != "" {
		text += ": " + reason
	}
	if !a.ResourceRequest {
		return &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
			Message: "forbidden: " + text, Details: &metav1.StatusDetails{},
		}}
	}
	return apierrors.NewForbidden(groupResource(a), a.Name, errors.New(text))
}

// storeError turns the store's errors into API errors about one object.
func (r *resource) storeError(err error, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return apierrors.NewNotFound(r.GroupResource(), name)
	case errors.Is(err, store.ErrExists):
		return apierrors.NewAlreadyExists(r.GroupResource(), name)
	case errors.Is(err, store.ErrCompacted):
		return apierrors.NewResourceExpired("The resourceVersion for the provided list is too old.")
	}
	var conflict *store.ConflictError
	if errors.As(err, &conflict) {
		return apierrors.NewConflict(r.GroupResource(), name, errors.New(staleText))
	}
	return err
}
