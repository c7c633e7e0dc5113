package apiserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
)

// serveIndex lists the paths that are no resources.
func (s *Server) serveIndex(q *request) error {
	paths := []string{"/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"}
	for _, g := range s.resources.groups {
		for i, gv := range g.versions {
			switch {
			case g.name == "":
				paths = append(paths, "/api/"+gv.Version)
			case i == 0:
				paths = append(paths, "/apis/"+g.name, "/apis/"+gv.String())
			default:
				paths = append(paths, "/apis/"+gv.String())
			}
		}
	}
	slices.Sort(paths)
	return q.plainJSON(map[string][]string{"paths": paths})
}

func (s *Server) serveVersion(q *request) error { return q.plainJSON(s.cfg.Version) }

// plainJSON writes what is no API object as the real server does: always indented.
func (q *request) plainJSON(v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return q.send(http.StatusOK, mediaJSON, body)
}

// serveHealth answers healthz, livez and readyz, or one check of theirs.
func (s *Server) serveHealth(q *request, segments []string) error {
	names := slices.Sorted(maps.Keys(s.cfg.Checks))
	names = append([]string{"ping"}, names...)
	if len(segments) > 1 {
		if !slices.Contains(names, segments[1]) {
			return notFoundPlain(q)
		}
		names = []string{segments[1]}
	}
	var text bytes.Buffer
	failed := 0
	for _, name := range names {
		check := s.cfg.Checks[name]
		switch {
		case slices.Contains(q.query["exclude"], name):
			fmt.Fprintf(&text, "[+]%s excluded: ok\n", name)
		case check == nil || check() == nil:
			fmt.Fprintf(&text, "[+]%s ok\n", name)
		default:
			failed++
			fmt.Fprintf(&text, "[-]%s failed: reason withheld\n", name)
		}
	}
	h := q.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache, private")
	switch {
	case failed > 0:
		q.w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(q.w, "%s%s check failed\n", text.String(), segments[0])
	case q.query.Has("verbose"):
		fmt.Fprintf(q.w, "%s%s check passed\n", text.String(), segments[0])
	default:
		fmt.Fprint(q.w, "ok")
	}
	return nil
}

// serveMetrics gives what the process itself knows, in Prometheus' text format.
func (s *Server) serveMetrics(q *request) error {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var b strings.Builder
	gauge := func(name, help string, v any) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s %v\n", name, help, name, name, v)
	}
	gauge("go_goroutines", "Number of goroutines that currently exist.", runtime.NumGoroutine())
	gauge("go_memstats_alloc_bytes", "Number of bytes allocated and still in use.", m.Alloc)
	gauge("apiserver_current_inflight_requests_read", "Reads under way.", len(s.reads.taken))
	gauge("apiserver_current_inflight_requests_mutating", "Writes under way.", len(s.writes.taken))
	gauge("apiserver_storage_revision", "The latest revision of the store.", s.store.Revision())
	q.w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprint(q.w, b.String())
	return nil
}

func (s *Server) logPanic(q *request, p any, stack []byte) {
	slog.Error("request panicked", "verb", q.path.verb, "path", q.URL.Path, "panic", fmt.Sprint(p), "stack", string(stack))
}
