package apiserver

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// gzipFrom is the size from which an answer is compressed for a client that takes gzip.
const gzipFrom = 128 * 1024

// respond writes an object that is not stored: its type meta must be set.
func (s *Server) respond(q *request, code int, obj runtime.Object) error {
	if q.out.media == mediaProtobuf {
		if m, ok := obj.(protoMessage); ok {
			raw, err := m.Marshal()
			if err != nil {
				return fmt.Errorf("encode the answer: %w", err)
			}
			return q.send(code, mediaProtobuf, enveloped(obj.GetObjectKind().GroupVersionKind(), raw)...)
		}
		q.out.media = mediaJSON
	}
	body, err := json.Marshal(obj)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	return q.sendJSON(code, body)
}

// respondItem writes one stored object in the form that was asked for.
func (s *Server) respondItem(q *request, code int, item *store.Item) error {
	switch q.out.as {
	case asTable:
		body, err := q.table([]*store.Item{item}, metav1.ListMeta{ResourceVersion: item.Object.(api.Object).GetResourceVersion()}, true)
		if err != nil {
			return err
		}
		return q.sendJSON(code, body)
	case asPartialList:
		return notAcceptable(mediaJSON, mediaYAML, mediaProtobuf)
	}
	if q.out.media == mediaProtobuf && !q.res.CustomResource {
		parts, err := q.protoItem(item)
		if err != nil {
			return err
		}
		return q.send(code, mediaProtobuf, parts...)
	}
	body, err := q.jsonItem(item)
	if err != nil {
		return err
	}
	return q.sendJSON(code, body)
}

// jsonItem is a single object as JSON, with its kind.
func (q *request) jsonItem(item *store.Item) ([]byte, error) {
	if q.out.as == asPartial || q.out.as == asPartialList {
		body, err := item.Encoded(formMetaJSON, encodeMetaJSON)
		if err != nil {
			return nil, err
		}
		return withKind(partialKind, body), nil
	}
	body, err := item.Encoded(formJSON, encodeJSON)
	if err != nil || q.res.CustomResource {
		return body, err
	}
	return withKind(q.res.GVK(), body), nil
}

// protoItem is a single object in its protobuf envelope, in parts.
func (q *request) protoItem(item *store.Item) ([][]byte, error) {
	if q.out.as == asPartial || q.out.as == asPartialList {
		raw, err := item.Encoded(formMetaProto, encodeMetaProto)
		if err != nil {
			return nil, err
		}
		return enveloped(partialKind, raw), nil
	}
	raw, err := item.Encoded(formProto, encodeProto)
	if err != nil {
		return nil, err
	}
	return enveloped(q.res.GVK(), raw), nil
}

// respondList writes a page of objects by joining their cached bytes.
func (s *Server) respondList(q *request, items []*store.Item, meta metav1.ListMeta) error {
	kind := q.res.GroupVersion.WithKind(q.res.ListKind)
	partial := q.out.as == asPartial || q.out.as == asPartialList
	if partial {
		kind = partialKind.GroupVersion().WithKind(asPartialList)
	}
	if q.out.as == asTable {
		body, err := q.table(items, meta, true)
		if err != nil {
			return err
		}
		return q.sendJSON(http.StatusOK, body)
	}
	if q.out.media == mediaProtobuf && (partial || !q.res.CustomResource) {
		return q.sendProtoList(kind, items, meta, partial)
	}
	name, encode := formJSON, encodeJSON
	if partial {
		name, encode = formMetaJSON, encodeMetaJSON
	}
	head, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"kind":%q,"apiVersion":%q,"metadata":%s,"items":[`, kind.Kind, kind.GroupVersion().String(), head)
	for i, item := range items {
		body, err := item.Encoded(name, encode)
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(body)
	}
	b.WriteString("]}")
	return q.sendJSON(http.StatusOK, b.Bytes())
}

func (q *request) sendProtoList(kind schema.GroupVersionKind, items []*store.Item, meta metav1.ListMeta, partial bool) error {
	name, encode := formProto, encodeProto
	if partial {
		name, encode = formMetaProto, encodeMetaProto
	}
	head, err := meta.Marshal()
	if err != nil {
		return err
	}
	bodies := make([][]byte, len(items))
	size := fieldSize(len(head))
	for i, item := range items {
		if bodies[i], err = item.Encoded(name, encode); err != nil {
			return err
		}
		size += fieldSize(len(bodies[i]))
	}
	b := openEnvelope(make([]byte, 0, size+256), kind, size)
	b = appendField(b, 1, head)
	for _, body := range bodies {
		b = appendField(b, 2, body)
	}
	return q.send(http.StatusOK, mediaProtobuf, closeEnvelope(b))
}

// sendJSON writes JSON, or what was asked for in its place: YAML, or JSON for people.
func (q *request) sendJSON(code int, body []byte) error {
	switch {
	case q.out.media == mediaYAML:
		text, err := yaml.JSONToYAML(body)
		if err != nil {
			return fmt.Errorf("encode the answer: %w", err)
		}
		return q.send(code, mediaYAML, text)
	case q.out.pretty:
		var b bytes.Buffer
		if err := json.Indent(&b, body, "", "  "); err != nil {
			return fmt.Errorf("encode the answer: %w", err)
		}
		return q.send(code, mediaJSON, b.Bytes())
	}
	// Cached bytes have no spare capacity to share: the newline is written after them.
	return q.send(code, mediaJSON, body, []byte("\n"))
}

// send writes the headers and the parts of the body; nothing of it may be kept by anybody.
func (q *request) send(code int, media string, body ...[]byte) error {
	q.w.Header().Set("Cache-Control", "no-cache, private")
	return q.finish(code, media, body...)
}

// finish writes the body, compressed where that pays.
func (q *request) finish(code int, media string, body ...[]byte) error {
	h := q.w.Header()
	h.Set("Content-Type", media)
	q.warn.write(h)
	size := 0
	for _, part := range body {
		size += len(part)
	}
	if size >= gzipFrom && strings.Contains(q.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		q.w.WriteHeader(code)
		if q.Method == http.MethodHead {
			return nil
		}
		z, _ := gzip.NewWriterLevel(q.w, gzip.BestSpeed)
		for _, part := range body {
			z.Write(part)
		}
		z.Close()
		return nil
	}
	h.Set("Content-Length", strconv.Itoa(size))
	q.w.WriteHeader(code)
	if q.Method != http.MethodHead {
		// A client that has gone cannot be told.
		for _, part := range body {
			q.w.Write(part)
		}
	}
	return nil
}
