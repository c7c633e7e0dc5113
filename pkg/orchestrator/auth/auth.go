// Package auth says who sends a request and what that user may do: client certificates from the cluster's own authority,
// service account tokens, the node authorizer, and the fixed rights of the control plane. It never serves HTTP, never
// writes objects, and never lets an anonymous request pass.
package auth

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
)

// User is who sends a request.
type User struct {
	Name, UID string
	Groups    []string
	Extra     map[string][]string
}

// In says whether the user belongs to a group.
func (u *User) In(group string) bool { return slices.Contains(u.Groups, group) }

// The groups and users that the rules name.
const (
	GroupMasters         = "system:masters"
	GroupNodes           = "system:nodes"
	GroupAuthenticated   = "system:authenticated"
	GroupServiceAccounts = "system:serviceaccounts"

	UserAPIServer         = "system:apiserver"
	UserControllerManager = "system:kube-controller-manager"
	UserScheduler         = "system:kube-scheduler"

	nodePrefix           = "system:node:"
	serviceAccountPrefix = "system:serviceaccount:"
)

// Node is the identity of a node's agent.
func Node(name string) User {
	return User{Name: nodePrefix + name, Groups: []string{GroupNodes, GroupAuthenticated}}
}

// ServiceAccount is the identity of a service account; the controllers' ones live in kube-system.
func ServiceAccount(namespace, name, uid string) User {
	return User{
		Name: serviceAccountPrefix + namespace + ":" + name, UID: uid,
		Groups: []string{GroupServiceAccounts, GroupServiceAccounts + ":" + namespace, GroupAuthenticated},
	}
}

// ControlPlane is the identity of a part of the control plane, such as UserScheduler.
func ControlPlane(name string) User { return User{Name: name, Groups: []string{GroupAuthenticated}} }

// Admin is the identity of the cluster's owner within the process; kubeconfigs get a certificate instead.
func Admin() User {
	return User{Name: "kubernetes-admin", Groups: []string{GroupMasters, GroupAuthenticated}}
}

// Authenticator finds out who sends a request. It gives nil without an error where the request carries nothing that it
// knows; an error where what it carries is wrong. Both are answered 401.
type Authenticator interface {
	Authenticate(r *http.Request) (*User, error)
}

// ErrUnauthenticated is the answer to a request without credentials.
var ErrUnauthenticated = errors.New("the request carries no credentials")

// Chain asks one authenticator after the other until one knows the user.
func Chain(all ...Authenticator) Authenticator { return chain(all) }

type chain []Authenticator

func (c chain) Authenticate(r *http.Request) (*User, error) {
	var errs []error
	for _, a := range c {
		user, err := a.Authenticate(r)
		if user != nil && err == nil {
			return user, nil
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return nil, ErrUnauthenticated
}

type userKey struct{}

// WithUser gives a context whose requests are user's, whatever they carry: for connections that never leave the process.
func WithUser(ctx context.Context, user *User) context.Context {
	return context.WithValue(ctx, userKey{}, user)
}

// InProcess authenticates the requests of contexts made by WithUser.
type InProcess struct{}

// Authenticate reads the context; nothing in the request itself can forge it.
func (InProcess) Authenticate(r *http.Request) (*User, error) {
	user, _ := r.Context().Value(userKey{}).(*User)
	return user, nil
}

// Attributes is a request as an authorizer sees it.
type Attributes struct {
	User                                        *User
	Verb, Group, Version, Resource, Subresource string
	Namespace, Name, Path                       string
	ResourceRequest                             bool
	// Fields is the field selector of a list, watch or deletecollection; nil where there is none.
	Fields fields.Selector
}

// Authorizer decides. The reason, if any, is put behind the refusal's text by the API server.
type Authorizer interface {
	Authorize(ctx context.Context, a Attributes) (allowed bool, reason string, err error)
}

// Reader reads what is stored, as of now; what it gives is shared and not to be changed.
type Reader interface {
	// Get fails with an API error NotFound.
	Get(ctx context.Context, resource schema.GroupResource, namespace, name string) (api.Object, error)
	// List gives the objects of a namespace (empty: all) whose indexed field, if one is named, has the value.
	List(ctx context.Context, resource schema.GroupResource, namespace, field, value string) ([]api.Object, error)
}
