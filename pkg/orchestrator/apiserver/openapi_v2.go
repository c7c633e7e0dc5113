package apiserver

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"

	apischema "github.com/kubeskiff/skiff/pkg/api/schema"
)

// mediaV2 is the protobuf form of an OpenAPI v2 document, the only one that kubectl takes. It asks for it with an @ in the
// name, which no parser of media types reads.
const mediaV2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

// v2 answers with the definitions of everything in one document, as older clients want it.
func (o *openapi) v2(q *request) error {
	body, err := o.v2Body()
	if err != nil {
		return err
	}
	tag := etag(body)
	if !wantsV2Protobuf(q.Header.Get("Accept")) {
		return q.tagged(tag, body)
	}
	h := q.w.Header()
	h.Set("ETag", tag)
	if q.Header.Get("If-None-Match") == tag {
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	doc, err := openapi_v2.ParseDocument(body)
	if err != nil {
		return fmt.Errorf("turn OpenAPI v2 into protobuf: %w", err)
	}
	raw, err := proto.Marshal(doc)
	if err != nil {
		return fmt.Errorf("turn OpenAPI v2 into protobuf: %w", err)
	}
	return q.send(http.StatusOK, mediaV2, raw)
}

// wantsV2Protobuf looks for the media type as clients write it, which is no valid one: hence no parser.
func wantsV2Protobuf(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		media, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.HasPrefix(media, "application/com.github.proto-openapi.spec.v2") {
			return true
		}
	}
	return false
}

// v2JSON joins the group versions' schemas; what v3 says beyond v2 goes, and references move.
func (o *openapi) v2JSON() ([]byte, error) {
	definitions, paths := map[string]any{}, map[string]any{}
	for _, gv := range o.versions() {
		raw, err := apischema.Components(gv)
		if err != nil {
			return nil, err
		}
		text := strings.ReplaceAll(string(raw), `"#/components/schemas/`, `"#/definitions/`)
		var schemas map[string]any
		if err := json.Unmarshal([]byte(text), &schemas); err != nil {
			return nil, fmt.Errorf("read the schemas of %s: %w", gv, err)
		}
		for _, s := range schemas {
			flatten(s)
		}
		maps.Copy(definitions, schemas)
		for path, item := range o.paths(gv) {
			paths[path] = v2Path(item)
		}
	}
	return json.Marshal(map[string]any{
		"swagger": "2.0", "info": map[string]any{"title": "Kubernetes", "version": o.server.cfg.Version.GitVersion},
		"paths": paths, "definitions": definitions,
	})
}

// flatten turns the allOf with one reference, by which v3 gives a reference a default, into the plain reference.
func flatten(v any) {
	switch x := v.(type) {
	case map[string]any:
		if all, ok := x["allOf"].([]any); ok && len(all) == 1 {
			if ref, ok := all[0].(map[string]any); ok && ref["$ref"] != nil {
				delete(x, "allOf")
				delete(x, "default")
				x["$ref"] = ref["$ref"]
			}
		}
		delete(x, "oneOf")
		delete(x, "anyOf")
		for _, child := range x {
			flatten(child)
		}
	case []any:
		for _, child := range x {
			flatten(child)
		}
	}
}

// v2Path says a path in v2's words.
func v2Path(item pathItem) map[string]any {
	out := map[string]any{}
	for method, v := range item {
		if list, ok := v.([]parameter); ok {
			out[method] = v2Parameters(list)
			continue
		}
		op := v.(operation)
		params := v2Parameters(op.Parameters)
		if op.Body != nil {
			params = append(params, map[string]any{"name": "body", "in": "body", "required": true, "schema": map[string]any{"type": "object"}})
		}
		entry := map[string]any{
			"description": op.Description, "operationId": op.ID, "tags": op.Tags, "parameters": params,
			"x-kubernetes-action": op.Action, "responses": map[string]any{"200": map[string]any{"description": "OK"}},
			"consumes": []string{"*/*"}, "produces": []string{mediaJSON, mediaYAML, mediaProtobuf},
		}
		if op.Kind != nil {
			entry["x-kubernetes-group-version-kind"] = op.Kind
		}
		out[method] = entry
	}
	return out
}

func v2Parameters(list []parameter) []any {
	out := make([]any, 0, len(list))
	for _, p := range list {
		entry := map[string]any{"name": p.Name, "in": p.In, "description": p.Description, "type": p.Schema["type"]}
		if p.In == "path" {
			entry["required"] = true
		}
		out = append(out, entry)
	}
	return out
}
