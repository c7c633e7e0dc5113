package apiserver

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/api"
	apischema "github.com/kubeskiff/skiff/pkg/api/schema"
)

// pathItem is a path of an OpenAPI document: parameters that all its operations share, and the operations by method.
type pathItem map[string]any

type parameter struct {
	Description string         `json:"description,omitempty"`
	In          string         `json:"in"`
	Name        string         `json:"name"`
	Required    bool           `json:"required,omitempty"`
	Schema      map[string]any `json:"schema"`
}

type operation struct {
	Description string                   `json:"description"`
	ID          string                   `json:"operationId"`
	Parameters  []parameter              `json:"parameters,omitempty"`
	Body        map[string]any           `json:"requestBody,omitempty"`
	Responses   map[string]any           `json:"responses"`
	Tags        []string                 `json:"tags"`
	Action      string                   `json:"x-kubernetes-action"`
	Kind        *metav1.GroupVersionKind `json:"x-kubernetes-group-version-kind,omitempty"`
}

// paths describes every path of a group version.
func (o *openapi) paths(gv schema.GroupVersion) map[string]pathItem {
	out := map[string]pathItem{}
	for _, res := range o.server.resources.of(gv) {
		p := pathWriter{res: res, out: out}
		base := rootOf(gv)
		if res.Namespaced {
			p.add(base+"/"+res.Resource, "", []string{"list"})
			base += "/namespaces/{namespace}"
		}
		p.add(base+"/"+res.Resource, "", []string{"list", "create", "deletecollection"})
		p.add(base+"/"+res.Resource+"/{name}", "", []string{"get", "update", "patch", "delete"})
		for _, name := range res.parts() {
			part := res.part(name)
			p.part = part
			p.add(base+"/"+res.Resource+"/{name}/"+name, name, part.Verbs)
			p.part = nil
		}
	}
	return out
}

type pathWriter struct {
	res  *resource
	part *api.Subresource
	out  map[string]pathItem
}

// methods and the words of operation ids, by verb.
var operations = map[string]struct{ method, word, text string }{
	"list":             {"get", "list", "list or watch objects of kind "},
	"create":           {"post", "create", "create a "},
	"deletecollection": {"delete", "deleteCollection", "delete collection of "},
	"get":              {"get", "read", "read the specified "},
	"update":           {"put", "replace", "replace the specified "},
	"patch":            {"patch", "patch", "partially update the specified "},
	"delete":           {"delete", "delete", "delete a "},
}

func (p pathWriter) add(path, sub string, verbs []string) {
	item := pathItem{}
	for _, verb := range verbs {
		op, ok := operations[verb]
		if !ok || (sub == "" && !slices.Contains(p.res.Verbs, verb)) {
			continue
		}
		item[op.method] = p.operation(path, sub, verb)
	}
	if len(item) == 0 {
		return
	}
	item["parameters"] = p.shared(path)
	p.out[path] = item
}

func (p pathWriter) shared(path string) []parameter {
	var out []parameter
	if strings.Contains(path, "{name}") {
		out = append(out, parameter{Description: "name of the " + p.res.Kind.Kind, In: "path", Name: "name", Required: true, Schema: stringSchema})
	}
	if strings.Contains(path, "{namespace}") {
		out = append(out, parameter{Description: "object name and auth scope, such as for teams and projects", In: "path", Name: "namespace", Required: true, Schema: stringSchema})
	}
	return append(out, query("pretty", "string", "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget)."))
}

func (p pathWriter) operation(path, sub, verb string) operation {
	op, kind := operations[verb], p.res.GVK()
	if p.part != nil && p.part.Kind.Kind != "" {
		kind = p.part.Kind
	}
	gv := p.res.GroupVersion
	group := "core"
	if gv.Group != "" {
		group, _, _ = strings.Cut(gv.Group, ".")
	}
	scope := ""
	if strings.Contains(path, "{namespace}") {
		scope = "Namespaced"
	}
	suffix := ""
	if p.res.Namespaced && scope == "" {
		suffix = "ForAllNamespaces"
	}
	out := operation{
		Description: op.text + p.res.Kind.Kind, Tags: []string{group + "_" + gv.Version}, Kind: metaKind(kind), Action: action(verb),
		ID:         op.word + title(group) + title(gv.Version) + scope + p.res.Kind.Kind + title(sub) + suffix,
		Parameters: parameters(verb), Responses: p.responses(verb, kind), Body: p.body(verb, kind),
	}
	if sub != "" {
		out.Description = op.text[:strings.Index(op.text+" ", " ")] + " " + sub + " of the specified " + p.res.Kind.Kind
	}
	if p.part != nil && p.part.Connect && sub != "log" {
		out.Action, out.Parameters, out.Body = "connect", nil, nil
		out.Description = "connect " + strings.ToUpper(op.method) + " requests to " + sub + " of " + p.res.Kind.Kind
		out.ID = "connect" + title(group) + title(gv.Version) + title(op.method) + scope + p.res.Kind.Kind + title(sub)
	}
	return out
}

// action is the word of x-kubernetes-action.
func action(verb string) string {
	switch verb {
	case "create":
		return "post"
	case "update":
		return "put"
	}
	return verb
}

func title(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

var stringSchema = map[string]any{"type": "string", "uniqueItems": true}

func query(name, typ, text string) parameter {
	return parameter{Description: text, In: "query", Name: name, Schema: map[string]any{"type": typ, "uniqueItems": true}}
}

// parameters are the query parameters of a verb, described by the types that they fill.
func parameters(verb string) []parameter {
	list, patch, del := metav1.ListOptions{}.SwaggerDoc(), metav1.PatchOptions{}.SwaggerDoc(), metav1.DeleteOptions{}.SwaggerDoc()
	switch verb {
	case "list", "deletecollection":
		return []parameter{
			query("allowWatchBookmarks", "boolean", list["allowWatchBookmarks"]), query("continue", "string", list["continue"]),
			query("fieldSelector", "string", list["fieldSelector"]), query("labelSelector", "string", list["labelSelector"]),
			query("limit", "integer", list["limit"]), query("resourceVersion", "string", list["resourceVersion"]),
			query("resourceVersionMatch", "string", list["resourceVersionMatch"]), query("sendInitialEvents", "boolean", list["sendInitialEvents"]),
			query("timeoutSeconds", "integer", list["timeoutSeconds"]), query("watch", "boolean", list["watch"]),
		}
	case "create", "update", "patch":
		out := []parameter{
			query("dryRun", "string", patch["dryRun"]), query("fieldManager", "string", patch["fieldManager"]),
			query("fieldValidation", "string", patch["fieldValidation"]),
		}
		if verb == "patch" {
			out = append(out, query("force", "boolean", patch["force"]))
		}
		return out
	case "delete":
		return []parameter{
			query("dryRun", "string", del["dryRun"]), query("gracePeriodSeconds", "integer", del["gracePeriodSeconds"]),
			query("orphanDependents", "boolean", del["orphanDependents"]), query("propagationPolicy", "string", del["propagationPolicy"]),
		}
	}
	return nil
}

// reference points at the schema of a kind; nil where the group version has none.
func (p pathWriter) reference(kind schema.GroupVersionKind) map[string]any {
	name, err := apischema.Name(p.res.GroupVersion, kind)
	if err != nil {
		return nil
	}
	return map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/" + name}}
}

func contentOf(ref map[string]any, media ...string) map[string]any {
	out := map[string]any{}
	for _, m := range media {
		out[m] = ref
	}
	return out
}

func (p pathWriter) responses(verb string, kind schema.GroupVersionKind) map[string]any {
	if verb == "list" {
		kind = p.res.GroupVersion.WithKind(p.res.ListKind)
	}
	if verb == "deletecollection" || verb == "delete" {
		kind = schema.GroupVersionKind{Version: "v1", Kind: "Status"}
	}
	ok := map[string]any{"description": "OK"}
	if ref := p.reference(kind); ref != nil {
		ok["content"] = contentOf(ref, mediaJSON, mediaProtobuf, mediaYAML)
	}
	return map[string]any{"200": ok, "401": map[string]any{"description": "Unauthorized"}}
}

func (p pathWriter) body(verb string, kind schema.GroupVersionKind) map[string]any {
	switch verb {
	case "create", "update":
		if ref := p.reference(kind); ref != nil {
			return map[string]any{"content": contentOf(ref, "*/*"), "required": true}
		}
	case "patch":
		object := map[string]any{"schema": map[string]any{"type": "object"}}
		return map[string]any{"required": true, "content": contentOf(object,
			string(types.ApplyYAMLPatchType), string(types.JSONPatchType), string(types.MergePatchType), string(types.StrategicMergePatchType))}
	}
	return nil
}
