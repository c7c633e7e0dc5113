package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

// requestTimeout bounds every request that is no watch and no connection.
const requestTimeout = 60 * time.Second

// ServeHTTP is the head of every request's pipeline: bound, authenticate, authorize, hand to the verb.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	q := &request{Request: r, w: w, ctx: r.Context(), query: query, path: parsePath(r, query)}
	defer s.recover(q)
	var err error
	if q.out, err = negotiate(r, query); err != nil && q.path.isResource {
		s.fail(q, err)
		return
	}
	if !q.longRunning() {
		release, err := s.admit(q)
		if err != nil {
			s.fail(q, err)
			return
		}
		defer release()
		ctx, cancel := context.WithTimeout(q.ctx, q.timeout())
		defer cancel()
		q.ctx = ctx
	}
	if err := s.serve(q); err != nil {
		s.fail(q, err)
	}
}

func (s *Server) serve(q *request) error {
	if err := s.authenticate(q); err != nil {
		return err
	}
	if err := s.authorize(q, q.attributes()); err != nil {
		return err
	}
	if !q.path.isResource {
		return s.serveOther(q)
	}
	return s.serveResource(q)
}

// recover turns a panic into a 500 and keeps the server alive.
func (s *Server) recover(q *request) {
	p := recover()
	if p == nil || p == http.ErrAbortHandler {
		return
	}
	s.logPanic(q, p, debug.Stack())
	s.fail(q, apierrors.NewInternalError(fmt.Errorf("this request caused apiserver to panic. Look in the logs for details")))
}

// longRunning requests are not counted and have no timeout of ours.
func (q *request) longRunning() bool {
	switch q.path.subresource {
	case "exec", "attach", "portforward", "proxy", "log":
		return true
	}
	return q.path.verb == "watch"
}

func (q *request) timeout() time.Duration {
	if d, err := time.ParseDuration(q.query.Get("timeout")); err == nil && d > 0 && d < requestTimeout {
		return d
	}
	return requestTimeout
}

// authenticate names the user: of the in-memory connection, or by what the request carries.
func (s *Server) authenticate(q *request) error {
	if q.user = pipeUser(q.Request.Context()); q.user == nil {
		if s.cfg.Authenticator == nil {
			return apierrors.NewUnauthorized("Unauthorized")
		}
		user, err := s.cfg.Authenticator.Authenticate(q.Request)
		if err != nil || user == nil {
			return apierrors.NewUnauthorized("Unauthorized")
		}
		q.user = user
	}
	return s.impersonate(q)
}

func (s *Server) authorize(q *request, a auth.Attributes) error {
	if s.cfg.Authorizer == nil {
		return nil
	}
	allowed, reason, err := s.cfg.Authorizer.Authorize(q.ctx, a)
	switch {
	case allowed:
		return nil
	case err != nil:
		return apierrors.NewInternalError(err)
	}
	return forbidden(a, reason)
}

// serveResource finds the kind and the part of it that the path names, then runs the verb.
func (s *Server) serveResource(q *request) error {
	p := q.path
	q.res = s.resources.byGVR[p.gv.WithResource(p.resource)]
	if q.res == nil || (q.res.Namespaced && p.namespace == "" && p.name != "" && !p.collection()) || (!q.res.Namespaced && p.namespace != "") {
		return notFoundPath()
	}
	if q.res.Deprecated != "" {
		q.warn.add(q.res.Deprecated)
	}
	if p.subresource != "" {
		return s.serveSubresource(q)
	}
	if !q.res.allows(p.verb) {
		return notAllowed()
	}
	switch p.verb {
	case "list":
		return s.list(q)
	case "watch":
		return s.watch(q)
	case "create":
		if p.name != "" || (q.res.Namespaced && p.namespace == "") {
			return notAllowed()
		}
		return s.create(q)
	case "update", "patch", "get", "delete":
		if p.name == "" {
			return notAllowed()
		}
	}
	switch p.verb {
	case "get":
		return s.get(q)
	case "update":
		return s.update(q)
	case "patch":
		return s.patch(q)
	case "delete":
		return s.delete(q)
	case "deletecollection":
		return s.deleteCollection(q)
	}
	return notAllowed()
}

// allows says whether the kind has the verb; nil means all.
func (r *resource) allows(verb string) bool {
	for _, v := range r.Verbs {
		if v == verb {
			return true
		}
	}
	return false
}

// serveOther answers the paths that are no resources: discovery, OpenAPI, version, health.
func (s *Server) serveOther(q *request) error {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		return notAllowed()
	}
	path := strings.TrimSuffix(q.URL.Path, "/")
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "":
		return s.serveIndex(q)
	case path == "/version":
		return s.serveVersion(q)
	case segments[0] == "healthz" || segments[0] == "livez" || segments[0] == "readyz":
		return s.serveHealth(q, segments)
	case path == "/metrics":
		return s.serveMetrics(q)
	case segments[0] == "openapi":
		return s.openapi.serve(q, path)
	case path == "/api" || path == "/apis":
		return s.discovery.serveRoot(s, q, path)
	case segments[0] == "api" && len(segments) == 2:
		return s.discovery.serveVersion(s, q, schema.GroupVersion{Version: segments[1]})
	case segments[0] == "apis" && len(segments) == 2:
		return s.discovery.serveGroup(s, q, segments[1])
	case segments[0] == "apis" && len(segments) == 3:
		return s.discovery.serveVersion(s, q, schema.GroupVersion{Group: segments[1], Version: segments[2]})
	}
	return notFoundPlain(q)
}

// notFoundPlain is the answer to a path that nothing serves.
func notFoundPlain(q *request) error {
	http.NotFound(q.w, q.Request)
	return errAnswered
}
