package apiserver

import (
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	apischema "github.com/kubeskiff/skiff/pkg/api/schema"
)

// openapi serves the schemas of what is served: an index, and a document for each group version, made at first use.
type openapi struct {
	server    *Server
	mu        sync.Mutex
	documents map[string]*openapiDocument // by path below /openapi/v3
	v2Body    func() ([]byte, error)
}

type openapiDocument struct {
	body []byte
	hash string
}

func newOpenAPI(s *Server) *openapi {
	o := &openapi{server: s, documents: map[string]*openapiDocument{}}
	o.v2Body = sync.OnceValues(o.v2JSON)
	return o
}

const v3Root = "/openapi/v3"

func (o *openapi) serve(q *request, path string) error {
	switch {
	case path == v3Root:
		return o.index(q)
	case strings.HasPrefix(path, v3Root+"/"):
		return o.version(q, strings.TrimPrefix(path, v3Root+"/"))
	case path == "/openapi/v2":
		return o.v2(q)
	}
	return notFoundPlain(q)
}

// versions gives the path below /openapi/v3 of every group version that has schemas.
func (o *openapi) versions() map[string]schema.GroupVersion {
	out := map[string]schema.GroupVersion{}
	for _, g := range o.server.resources.groups {
		for _, gv := range g.versions {
			if apischema.Has(gv) {
				out[strings.TrimPrefix(rootOf(gv), "/")] = gv
			}
		}
	}
	return out
}

// rootOf is the path of a group version.
func rootOf(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "/api/" + gv.Version
	}
	return "/apis/" + gv.String()
}

// index lists the documents with the hashes of their contents, so that clients keep those they have.
func (o *openapi) index(q *request) error {
	type entry struct {
		URL string `json:"serverRelativeURL"`
	}
	paths := map[string]entry{}
	for path, gv := range o.versions() {
		doc, err := o.document(path, gv)
		if err != nil {
			return err
		}
		paths[path] = entry{v3Root + "/" + path + "?hash=" + doc.hash}
	}
	body, err := json.Marshal(map[string]any{"paths": paths})
	if err != nil {
		return err
	}
	return q.tagged(etag(body), body)
}

// version answers with one document. A hash that is out of date leads to the right one; a right one may be kept for ever.
func (o *openapi) version(q *request, path string) error {
	gv, ok := o.versions()[path]
	if !ok {
		return notFoundPlain(q)
	}
	doc, err := o.document(path, gv)
	if err != nil {
		return err
	}
	switch hash := q.query.Get("hash"); {
	case hash == "":
	case hash != doc.hash:
		http.Redirect(q.w, q.Request, v3Root+"/"+path+"?hash="+doc.hash, http.StatusMovedPermanently)
		return nil
	default:
		q.w.Header().Set("Cache-Control", "public, immutable")
		q.w.Header().Set("Expires", "Thu, 31 Dec 2037 23:59:59 GMT")
	}
	return q.tagged(`"`+doc.hash+`"`, doc.body)
}

// tagged answers with JSON that has an entity tag.
func (q *request) tagged(tag string, body []byte) error {
	h := q.w.Header()
	h.Set("ETag", tag)
	h.Add("Vary", "Accept")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache, private")
	}
	if q.Header.Get("If-None-Match") == tag {
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return q.finish(http.StatusOK, mediaJSON, body)
}

func (o *openapi) document(path string, gv schema.GroupVersion) (*openapiDocument, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if doc := o.documents[path]; doc != nil {
		return doc, nil
	}
	paths, err := json.Marshal(o.paths(gv))
	if err != nil {
		return nil, fmt.Errorf("describe the paths of %s: %w", gv, err)
	}
	body, err := apischema.Document(gv, o.server.cfg.Version.GitVersion, paths)
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", gv, err)
	}
	doc := &openapiDocument{body: body, hash: fmt.Sprintf("%X", sha512.Sum512(body))}
	o.documents[path] = doc
	return doc, nil
}
