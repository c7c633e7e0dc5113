package apiserver

import "net/http"

// openapi serves the schemas of what is served.
type openapi struct{ server *Server }

func newOpenAPI(s *Server) *openapi { return &openapi{server: s} }

func (o *openapi) serve(q *request, path string) error {
	http.NotFound(q.w, q.Request)
	return nil
}
