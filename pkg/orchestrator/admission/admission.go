// Package admission holds what is done to a write and asked of it between authorization and the store: one file per plugin,
// named and ordered as upstream's. A plugin decides about one request at a time; it never writes to the store and keeps
// no state of its own.
package admission

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

// Verb is what a request does to its object.
type Verb string

// The verbs, in the words of upstream's error texts.
const (
	Create  Verb = "CREATE"
	Update  Verb = "UPDATE"
	Delete  Verb = "DELETE"
	Connect Verb = "CONNECT"
)

// Request is a write under way.
type Request struct {
	Kind                         *api.Kind // of the resource; a subresource's body may be of another kind
	Verb                         Verb
	Subresource, Namespace, Name string
	Object                       api.Object // nil on delete; the body of a subresource that is a view of another kind
	Old                          api.Object // nil on create
	User                         *auth.User
	DryRun                       bool
}

// Plugin is an admission plugin: a Mutator, a Validator or both.
type Plugin interface{ Name() string }

// Mutator may change Request.Object.
type Mutator interface {
	Admit(ctx context.Context, r *Request) error
}

// Validator only judges.
type Validator interface {
	Validate(ctx context.Context, r *Request) error
}

// Reader is how plugins read other objects.
type Reader = auth.Reader

// Admit runs the mutating part of all plugins, in order.
func Admit(ctx context.Context, plugins []Plugin, r *Request) error {
	for _, p := range plugins {
		if m, ok := p.(Mutator); ok {
			if err := m.Admit(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// Validate runs the validating part of all plugins, in order.
func Validate(ctx context.Context, plugins []Plugin, r *Request) error {
	for _, p := range plugins {
		if v, ok := p.(Validator); ok {
			if err := v.Validate(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// Default lists the plugins of a cluster in upstream's order.
func Default(reader Reader) []Plugin {
	return []Plugin{
		NewNamespaceLifecycle(reader),
		NewServiceAccount(reader),
		NewNodeRestriction(reader),
		NewTaintNodesByCondition(),
		NewPriority(),
		NewDefaultTolerationSeconds(),
	}
}

// is says whether the request is about a resource of the core group, or one of its subresources.
func (r *Request) is(resource, subresource string) bool {
	return r.Kind != nil && r.Kind.GroupResource() == schema.GroupResource{Resource: resource} && r.Subresource == subresource
}

// forbidden is a refusal in upstream's form: `pods "x" is forbidden: …`.
func (r *Request) forbidden(format string, args ...any) *apierrors.StatusError {
	err := fmt.Errorf(format, args...)
	var refused *apierrors.StatusError
	if errors.As(err, &refused) && apierrors.IsForbidden(refused) {
		return refused
	}
	return apierrors.NewForbidden(r.Kind.GroupResource(), r.displayName(), err)
}

// displayName is the name in error texts: that of the object to be, or what it will be generated from.
func (r *Request) displayName() string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Object == nil:
		return "Unknown"
	case r.Object.GetName() != "":
		return r.Object.GetName()
	case r.Object.GetGenerateName() != "":
		return r.Object.GetGenerateName()
	}
	return "Unknown"
}
