package apiserver

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
)

// discovery says what is served, group by group and all at once. Its documents are made at first use.
type discovery struct {
	resources *registry
	roots     map[string]func() (document, error) // "/api", "/apis"
}

// document is the aggregated discovery of one root, with the tag of its content.
type document struct {
	body []byte
	etag string
}

func newDiscovery(r *registry) *discovery {
	d := &discovery{resources: r}
	d.roots = map[string]func() (document, error){
		"/api":  sync.OnceValues(func() (document, error) { return d.aggregate(true) }),
		"/apis": sync.OnceValues(func() (document, error) { return d.aggregate(false) }),
	}
	return d
}

// serveRoot answers /api and /apis: the plain list, or the aggregated one if the client asks for it.
func (d *discovery) serveRoot(s *Server, q *request, path string) error {
	q.w.Header().Add("Vary", "Accept")
	if wantsAggregated(q.Request) {
		return d.serveAggregated(q, path)
	}
	if path == "/api" {
		return s.respond(q, http.StatusOK, &metav1.APIVersions{
			TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"},
			ServerAddressByClientCIDRs: []metav1.ServerAddressByClientCIDR{{ClientCIDR: "0.0.0.0/0", ServerAddress: s.cfg.Endpoint.String()}},
		})
	}
	list := &metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	for _, g := range d.resources.groups {
		if g.name != "" {
			list.Groups = append(list.Groups, apiGroup(g))
		}
	}
	return s.respond(q, http.StatusOK, list)
}

func (d *discovery) serveGroup(s *Server, q *request, name string) error {
	for _, g := range d.resources.groups {
		if g.name == name && name != "" {
			out := apiGroup(g)
			out.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
			return s.respond(q, http.StatusOK, &out)
		}
	}
	return notFoundPlain(q)
}

func apiGroup(g group) metav1.APIGroup {
	out := metav1.APIGroup{Name: g.name}
	for _, gv := range g.versions {
		out.Versions = append(out.Versions, metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: gv.Version})
	}
	out.PreferredVersion = out.Versions[0]
	return out
}

// serveVersion answers with the resources of one group version.
func (d *discovery) serveVersion(s *Server, q *request, gv schema.GroupVersion) error {
	if !d.resources.hasVersion(gv) {
		return notFoundPlain(q)
	}
	list := &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList"}, GroupVersion: gv.String()}
	if gv.Group != "" {
		list.APIVersion = "v1"
	}
	for _, res := range d.resources.of(gv) {
		list.APIResources = append(list.APIResources, plainResource(res))
		for _, name := range res.parts() {
			list.APIResources = append(list.APIResources, plainPart(res, name))
		}
	}
	slices.SortFunc(list.APIResources, func(a, b metav1.APIResource) int { return strings.Compare(a.Name, b.Name) })
	return s.respond(q, http.StatusOK, list)
}

func plainResource(res *resource) metav1.APIResource {
	out := metav1.APIResource{
		Name: res.Resource, SingularName: res.Singular, Namespaced: res.Namespaced, Kind: res.Kind.Kind,
		Verbs: sorted(res.Verbs), ShortNames: res.ShortNames, Categories: res.Categories,
	}
	if res.answer == nil {
		out.StorageVersionHash = storageVersionHash(res.GVK())
	}
	return out
}

func plainPart(res *resource, name string) metav1.APIResource {
	part := res.part(name)
	out := metav1.APIResource{
		Name: res.Resource + "/" + name, Namespaced: res.Namespaced, Kind: res.Kind.Kind, Verbs: sorted(part.Verbs),
	}
	if part.Kind.Kind != "" {
		out.Kind = part.Kind.Kind
		if part.Kind.GroupVersion() != res.GroupVersion {
			out.Group, out.Version = part.Kind.Group, part.Kind.Version
		}
	}
	return out
}

// storageVersionHash tells clients when a kind's stored version changes.
func storageVersionHash(kind schema.GroupVersionKind) string {
	sum := sha256.Sum256([]byte(kind.Group + "/" + kind.Version + "/" + kind.Kind))
	return base64.StdEncoding.EncodeToString(sum[:8])
}

func sorted(verbs []string) []string {
	out := slices.Clone(verbs)
	slices.Sort(out)
	return out
}

// parts are the names of a kind's subresources, in order.
func (r *resource) parts() []string {
	var out []string
	for name := range r.Subresources {
		out = append(out, name)
	}
	if r.Scale != nil && r.Subresources["scale"] == nil {
		out = append(out, "scale")
	}
	slices.Sort(out)
	return out
}

func (r *resource) part(name string) *api.Subresource {
	if p := r.Subresources[name]; p != nil {
		return p
	}
	if name == "scale" && r.Scale != nil {
		return scaleOf(r.Kind)
	}
	return nil
}

// wantsAggregated says whether the client prefers the aggregated form; others it might name are older ones.
func wantsAggregated(r *http.Request) bool {
	for _, c := range parseAccept(r.Header.Get("Accept")) {
		switch c.media {
		case mediaJSON:
		case "*/*", mediaProtobuf:
			return false
		default:
			continue
		}
		if c.params["as"] == "" {
			return false
		}
		if c.params["as"] == "APIGroupDiscoveryList" && c.params["g"] == apidiscoveryv2.GroupName && c.params["v"] == "v2" {
			return true
		}
	}
	return false
}

func (d *discovery) serveAggregated(q *request, path string) error {
	doc, err := d.roots[path]()
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("ETag", doc.etag)
	h.Set("Cache-Control", "public")
	if q.Header.Get("If-None-Match") == doc.etag {
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	media := mime.FormatMediaType(mediaJSON, map[string]string{"as": "APIGroupDiscoveryList", "g": apidiscoveryv2.GroupName, "v": "v2"})
	return q.finish(http.StatusOK, strings.ReplaceAll(media, " ", ""), doc.body)
}

func (d *discovery) aggregate(core bool) (document, error) {
	list := &apidiscoveryv2.APIGroupDiscoveryList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupDiscoveryList", APIVersion: apidiscoveryv2.SchemeGroupVersion.String()}}
	for _, g := range d.resources.groups {
		if (g.name == "") != core {
			continue
		}
		out := apidiscoveryv2.APIGroupDiscovery{ObjectMeta: metav1.ObjectMeta{Name: g.name}}
		for _, gv := range g.versions {
			out.Versions = append(out.Versions, d.aggregateVersion(gv))
		}
		list.Items = append(list.Items, out)
	}
	body, err := json.Marshal(runtime.Object(list))
	if err != nil {
		return document{}, fmt.Errorf("encode discovery: %w", err)
	}
	return document{body: append(body, '\n'), etag: etag(body)}, nil
}

func (d *discovery) aggregateVersion(gv schema.GroupVersion) apidiscoveryv2.APIVersionDiscovery {
	out := apidiscoveryv2.APIVersionDiscovery{Version: gv.Version, Freshness: apidiscoveryv2.DiscoveryFreshnessCurrent}
	resources := d.resources.of(gv)
	slices.SortFunc(resources, func(a, b *resource) int { return strings.Compare(a.Resource, b.Resource) })
	for _, res := range resources {
		kind := res.GVK()
		one := apidiscoveryv2.APIResourceDiscovery{
			Resource: res.Resource, ResponseKind: metaKind(kind), Scope: apidiscoveryv2.ScopeCluster, SingularResource: res.Singular,
			Verbs: sorted(res.Verbs), ShortNames: res.ShortNames, Categories: res.Categories,
		}
		if res.Namespaced {
			one.Scope = apidiscoveryv2.ScopeNamespace
		}
		for _, name := range res.parts() {
			part := res.part(name)
			body := part.Kind
			if body.Kind == "" {
				body = kind
			}
			one.Subresources = append(one.Subresources, apidiscoveryv2.APISubresourceDiscovery{
				Subresource: name, ResponseKind: metaKind(body), Verbs: sorted(part.Verbs),
			})
		}
		out.Resources = append(out.Resources, one)
	}
	return out
}

func metaKind(k schema.GroupVersionKind) *metav1.GroupVersionKind {
	return &metav1.GroupVersionKind{Group: k.Group, Version: k.Version, Kind: k.Kind}
}

// etag is a quoted hash of a document.
func etag(body []byte) string {
	h := fnv.New128a()
	h.Write(body)
	return fmt.Sprintf("%q", strings.ToUpper(fmt.Sprintf("%x", h.Sum(nil))))
}
