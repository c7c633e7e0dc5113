package apiserver

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

// request is one request on its way through the pipeline.
type request struct {
	*http.Request
	w     http.ResponseWriter
	ctx   context.Context
	path  path
	query url.Values
	user  *auth.User
	res   *resource
	part  *api.Subresource // nil on the main resource
	out   form
	warn  warnings
}

// path is what the URL and the method say, before anything is looked up.
type path struct {
	isResource  bool
	verb        string
	gv          schema.GroupVersion
	namespace   string
	resource    string
	name        string
	subresource string
	rest        string // behind the subresource: the path of a proxy request
}

// parsePath reads /api/v1/… and /apis/GROUP/VERSION/…; everything else is no resource.
func parsePath(r *http.Request, query url.Values) path {
	p := path{verb: strings.ToLower(r.Method)}
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(segments) >= 3 && segments[0] == "api":
		p.gv, segments = schema.GroupVersion{Version: segments[1]}, segments[2:]
	case len(segments) >= 4 && segments[0] == "apis":
		p.gv, segments = schema.GroupVersion{Group: segments[1], Version: segments[2]}, segments[3:]
	default:
		return p
	}
	p.isResource = true
	watch := segments[0] == "watch" && len(segments) > 1
	if watch {
		segments = segments[1:]
	}
	if segments[0] == "namespaces" && len(segments) > 2 && segments[2] != "status" && segments[2] != "finalize" {
		p.namespace, segments = segments[1], segments[2:]
	}
	p.resource = segments[0]
	if len(segments) > 1 {
		p.name = segments[1]
	}
	if len(segments) > 2 {
		p.subresource = segments[2]
		if len(segments) > 3 {
			p.rest = rawRest(r.URL.Path, segments[:3])
		}
	}
	p.verb = verbOf(r.Method, p, query)
	if watch && (p.verb == "get" || p.verb == "list") {
		p.verb = "watch"
	}
	if p.name == "" && (p.verb == "list" || p.verb == "watch" || p.verb == "deletecollection") {
		p.name = nameSelected(query)
	}
	return p
}

// rawRest keeps the slashes behind the subresource as the client wrote them.
func rawRest(full string, segments []string) string {
	marker := "/" + strings.Join(segments, "/") + "/"
	if i := strings.Index(full, marker); i >= 0 {
		return full[i+len(marker):]
	}
	return ""
}

func verbOf(method string, p path, query url.Values) string {
	switch method {
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if p.name == "" {
			return "deletecollection"
		}
		return "delete"
	case http.MethodGet, http.MethodHead:
		if w := query.Get("watch"); query.Has("watch") && w != "false" && w != "0" && p.subresource == "" {
			return "watch"
		}
		if p.name == "" {
			return "list"
		}
		return "get"
	}
	return strings.ToLower(method)
}

// nameSelected gives the name that a field selector asks for, so that authorization sees it.
func nameSelected(query url.Values) string {
	text := query.Get("fieldSelector")
	if text == "" {
		return ""
	}
	selector, err := fields.ParseSelector(text)
	if err != nil {
		return ""
	}
	name, _ := selector.RequiresExactMatch("metadata.name")
	return name
}

// collection says that the verb is about many objects, though nameSelected may have filled in the name of the one it selects.
func (p path) collection() bool {
	return slices.Contains([]string{"list", "watch", "deletecollection"}, p.verb)
}

// attributes is the request as the authorizer sees it.
func (q *request) attributes() auth.Attributes {
	a := auth.Attributes{User: q.user, Verb: q.path.verb, Path: q.URL.Path, ResourceRequest: q.path.isResource}
	if q.path.isResource {
		a.Group, a.Version, a.Resource, a.Subresource = q.path.gv.Group, q.path.gv.Version, q.path.resource, q.path.subresource
		a.Namespace, a.Name = q.path.namespace, q.path.name
		if a.Namespace == "" && a.Resource == "namespaces" && a.Group == "" {
			a.Namespace = a.Name
		}
		if text := q.query.Get("fieldSelector"); text != "" && q.path.collection() {
			// A selector that cannot be read is refused later; until then it selects nothing special.
			a.Fields, _ = fields.ParseSelector(text)
		}
		if text := q.query.Get("fieldSelector"); text != "" && q.path.collection() {
			if selector, err := fields.ParseSelector(text); err == nil {
				a.Fields = selector
			}
		}
	}
	return a
}

// flag reads a boolean query parameter.
func (q *request) flag(name string) bool {
	v := q.query.Get(name)
	return q.query.Has(name) && v != "false" && v != "0"
}
