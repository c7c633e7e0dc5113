package apiserver

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/api"
)

// maxBody is the largest body of a request.
const maxBody = 3 * 1024 * 1024

// body reads the request's body.
func (q *request) body() ([]byte, error) {
	if n := q.ContentLength; n > 0 && n <= maxBody {
		data := make([]byte, n)
		if _, err := io.ReadFull(q.Body, data); err != nil {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("read the body: %v", err))
		}
		return data, nil
	}
	data, err := io.ReadAll(io.LimitReader(q.Body, maxBody+1))
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("read the body: %v", err))
	}
	if len(data) > maxBody {
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", maxBody))
	}
	return data, nil
}

// strictness is the request's fieldValidation; nothing said means Warn.
func (q *request) strictness() string {
	if v := q.query.Get("fieldValidation"); v != "" {
		return v
	}
	return metav1.FieldValidationWarn
}

// decode reads the body into obj, which must be of kind want.
func (q *request) decode(obj api.Object, want schema.GroupVersionKind) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	media, err := bodyMedia(q.Request)
	if err != nil {
		return err
	}
	if media == mediaProtobuf {
		return q.decodeProto(body, obj, want)
	}
	var strict []error
	if media == mediaYAML {
		if body, strict, err = yamlToJSON(body, q.strictness()); err != nil {
			return undecodable(err, schema.GroupVersionKind{}, want, body)
		}
	}
	got, err := kindOf(body, want)
	if err != nil {
		return undecodable(err, schema.GroupVersionKind{}, want, body)
	}
	if got.Kind != want.Kind && got.GroupVersion() == want.GroupVersion() {
		return undecodable(fmt.Errorf("converting (%s) to (%s): unknown conversion", got, want), got, want, body)
	}
	if got.GroupVersion() != want.GroupVersion() {
		return apierrors.NewBadRequest(fmt.Sprintf("the API version in the data (%s) does not match the expected API version (%s)", got.GroupVersion(), want.GroupVersion()))
	}
	more, err := unmarshalJSON(body, obj, q.strictness())
	if err != nil {
		return undecodable(err, got, want, body)
	}
	if strict = append(strict, more...); len(strict) > 0 {
		if q.strictness() == metav1.FieldValidationStrict {
			return undecodable(runtime.NewStrictDecodingError(strict), got, want, body)
		}
		q.warnStrict(strict)
	}
	clearKind(obj)
	return nil
}

func (q *request) decodeProto(body []byte, obj api.Object, want schema.GroupVersionKind) error {
	got, raw, err := openBody(body)
	if err != nil {
		return undecodable(err, schema.GroupVersionKind{}, want, body)
	}
	if got.Kind == "" {
		got = want
	}
	if got.GroupVersion() != want.GroupVersion() {
		return apierrors.NewBadRequest(fmt.Sprintf("the API version in the data (%s) does not match the expected API version (%s)", got.GroupVersion(), want.GroupVersion()))
	}
	m, ok := obj.(protoMessage)
	if !ok || got.Kind != want.Kind {
		return undecodable(fmt.Errorf("converting (%s) to (%s): unknown conversion", got, want), got, want, body)
	}
	if err := m.Unmarshal(raw); err != nil {
		return undecodable(err, got, want, body)
	}
	return nil
}

// warnStrict turns what a strict reading found into warnings.
func (q *request) warnStrict(errs []error) {
	for _, e := range errs {
		q.warn.add(e.Error())
	}
}

// unmarshalJSON fills obj; strict errors (unknown and duplicate fields) come apart unless they are to be ignored.
func unmarshalJSON(body []byte, obj any, strictness string) ([]error, error) {
	if strictness == metav1.FieldValidationIgnore {
		return nil, kjson.UnmarshalCaseSensitivePreserveInts(body, obj)
	}
	return kjson.UnmarshalStrict(body, obj)
}

// yamlToJSON gives the body as JSON; duplicate keys are strict errors.
func yamlToJSON(body []byte, strictness string) ([]byte, []error, error) {
	out, err := yaml.YAMLToJSON(body)
	if err != nil {
		return body, nil, err
	}
	if strictness == metav1.FieldValidationIgnore {
		return out, nil, nil
	}
	if _, err := yaml.YAMLToJSONStrict(body); err != nil {
		return out, []error{err}, nil
	}
	return out, nil, nil
}

// kindOf reads kind and apiVersion of a JSON body; what it leaves out is taken from want.
func kindOf(body []byte, want schema.GroupVersionKind) (schema.GroupVersionKind, error) {
	var meta struct {
		APIVersion string `json:"apiVersion,omitempty"`
		Kind       string `json:"kind,omitempty"`
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(body, &meta); err != nil {
		return want, fmt.Errorf("couldn't get version/kind; json parse error: %w", err)
	}
	gv, err := schema.ParseGroupVersion(meta.APIVersion)
	if err != nil {
		return want, err
	}
	got := gv.WithKind(meta.Kind)
	if meta.APIVersion == "" {
		got.Group, got.Version = want.Group, want.Version
	}
	if meta.Kind == "" {
		got.Kind = want.Kind
	}
	return got, nil
}

// clearKind takes kind and apiVersion off a typed object: all of a kind are stored alike.
func clearKind(obj api.Object) {
	if _, typed := obj.(protoMessage); typed {
		obj.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
	}
}

// undecodable is the real server's answer to a body that cannot be read.
func undecodable(err error, got, want schema.GroupVersionKind, body []byte) error {
	if got.Kind != "" {
		return apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", got.Kind, got.Version, want.Kind, err))
	}
	return apierrors.NewBadRequest(fmt.Sprintf("the object provided is unrecognized (must be of type %s): %v (%s)", want.Kind, err, summary(body)))
}

func summary(body []byte) string {
	const limit = 30
	text := func(b []byte) string { return hex.EncodeToString(b) }
	switch {
	case len(body) == 0:
		return "<empty>"
	case body[0] == '{':
		text = func(b []byte) string { return string(b) }
	}
	if len(body) > limit {
		return text(body[:limit]) + " ..."
	}
	return text(body)
}

// decodeMeta reads a small meta type (DeleteOptions) from the body, in any encoding and under any group's name.
func (q *request) decodeMeta(into runtime.Object) (found bool, err error) {
	body, err := q.body()
	if err != nil || len(body) == 0 {
		return false, err
	}
	media, err := bodyMedia(q.Request)
	if err != nil {
		return false, err
	}
	switch media {
	case mediaProtobuf:
		var raw []byte
		if _, raw, err = openBody(body); err == nil {
			err = into.(protoMessage).Unmarshal(raw)
		}
	case mediaYAML:
		err = yaml.Unmarshal(body, into)
	default:
		err = kjson.UnmarshalCaseSensitivePreserveInts(body, into)
	}
	if err != nil {
		return false, apierrors.NewBadRequest(err.Error())
	}
	return true, nil
}

// patchMedia is the content type of a patch.
func patchMedia(r *http.Request) string {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.TrimSpace(media)
}
