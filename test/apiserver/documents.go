package main

import (
	"encoding/json"
	"slices"
	"strings"
)

// documents are what clients read before anything else.
func documents(s *suite) error {
	for _, p := range []string{"/healthz", "/livez", "/readyz", "/healthz/ping", "/readyz/nosuch", "/livez/ping", "/nosuch", "/apis/nosuch", "/apis/nosuch/v1", "/apis/apps/v2", "/api/v2", "/apis/apps/v1/nosuch", "/api/v1/nosuch/x", "/openapi/v3/nosuch", "/api", "/version/"} {
		s.do("document", "GET", p, "")
	}
	s.do("document", "POST", "/version", "{}")
	s.do("document", "POST", "/api/v1", "{}")
	s.picked("version", "/version", "", func(v any) any {
		m, _ := v.(map[string]any)
		return []any{m["major"], m["minor"], m["gitTreeState"], m["compiler"], keys(m, m)}
	})
	groups := []string{"", "apps", "coordination.k8s.io", "discovery.k8s.io"}
	for _, g := range groups {
		path := "/apis/" + g + "/v1"
		if g == "" {
			path = "/api/v1"
		} else {
			s.do("discovery", "GET", "/apis/"+g, "")
		}
		s.picked("discovery", path, "", served(s, path))
	}
	s.picked("discovery groups", "/apis", "", byName(groups, "groups", "name"))
	for _, p := range []string{"/api", "/apis"} {
		for _, g := range groups {
			s.picked("aggregated "+g, p, aggregateType, aggregated(g))
		}
	}
	for _, p := range []string{"api/v1", "apis/apps/v1", "apis/coordination.k8s.io/v1", "apis/discovery.k8s.io/v1"} {
		s.openAPI("/openapi/v3/" + p)
	}
	return nil
}

// picked compares what pick takes out of two JSON answers.
func (s *suite) picked(name, path, accept string, pick func(any) any) {
	if accept == "" {
		accept = "application/json"
	}
	s.quiet("GET", path, "", "Accept", accept)
	both := s.last
	for i := range both {
		var v any
		if json.Unmarshal([]byte(both[i].body), &v) == nil {
			data, _ := json.Marshal(pick(v))
			both[i].body = string(data)
		}
	}
	s.report(name, "GET", path, "", both)
}

func byName(names []string, list, key string) func(any) any {
	return func(v any) any {
		out := map[string]any{}
		m, _ := v.(map[string]any)
		l, _ := m[list].([]any)
		for _, e := range l {
			if em, ok := e.(map[string]any); ok {
				if n, _ := em[key].(string); slices.Contains(names, n) {
					out[n] = e
				}
			}
		}
		return out
	}
}

// served keeps the resources that we serve.
func served(s *suite, path string) func(any) any {
	a, err := s.ours.send("GET", path, "", nil)
	var list struct{ Resources []struct{ Name string } }
	if err == nil {
		_ = json.Unmarshal([]byte(a.body), &list)
	}
	var names []string
	for _, r := range list.Resources {
		names = append(names, r.Name)
	}
	return byName(names, "resources", "name")
}

func aggregated(group string) func(any) any {
	ours := []string{
		"configmaps", "endpoints", "events", "namespaces", "nodes", "pods", "secrets", "serviceaccounts", "services",
		"controllerrevisions", "deployments", "replicasets", "leases", "endpointslices",
	}
	return func(v any) any {
		out := map[string]any{}
		m, _ := v.(map[string]any)
		items, _ := m["items"].([]any)
		for _, i := range items {
			im, _ := i.(map[string]any)
			meta, _ := im["metadata"].(map[string]any)
			if name, _ := meta["name"].(string); name != group {
				continue
			}
			versions, _ := im["versions"].([]any)
			for _, ver := range versions {
				vm, _ := ver.(map[string]any)
				if vm["version"] == "v1" {
					out["v1"] = byName(ours, "resources", "resource")(vm)
					out["freshness"] = vm["freshness"]
				}
			}
		}
		return out
	}
}

// openAPI compares the schemas and paths that we have.
func (s *suite) openAPI(path string) {
	s.quiet("GET", path, "")
	both := s.last
	var docs [2]map[string]map[string]any
	for i, a := range both {
		var d struct {
			Paths      map[string]any
			Components struct{ Schemas map[string]any }
		}
		_ = json.Unmarshal([]byte(a.body), &d)
		docs[i] = map[string]map[string]any{"paths": d.Paths, "schemas": d.Components.Schemas}
	}
	for part, theirs := range docs[0] {
		for k, v := range docs[1][part] {
			var pair [2]answer
			for i, e := range []any{theirs[k], v} {
				data, _ := json.Marshal(e)
				pair[i] = answer{code: 200, body: string(data)}
			}
			s.report("openapi "+part, "GET", path+" "+k, "", pair)
		}
		if part == "paths" {
			s.missing(path, theirs, docs[1][part])
		}
	}
}

// missing names paths of our kinds that we do not describe.
func (s *suite) missing(path string, theirs, ours map[string]any) {
	for p := range theirs {
		if _, ok := ours[p]; ok || strings.Contains(p, "/watch/") {
			continue
		}
		for _, k := range samples {
			_, resource, _ := strings.Cut(k.all()[1:], "v1/")
			if strings.HasSuffix(p, "/"+resource) || strings.Contains(p, "/"+resource+"/{name}") {
				s.report("openapi paths", "GET", path+" "+p, "", [2]answer{{body: "described"}, {body: "absent"}})
			}
		}
	}
}
