package apiserver

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The media types of bodies.
const (
	mediaJSON     = "application/json"
	mediaYAML     = "application/yaml"
	mediaProtobuf = "application/vnd.kubernetes.protobuf"
)

// The forms that an answer can be turned into.
const (
	asTable       = "Table"
	asPartial     = "PartialObjectMetadata"
	asPartialList = "PartialObjectMetadataList"
)

// form is how an answer is to be written.
type form struct {
	media  string
	as     string // empty, or one of the as… constants
	pretty bool
}

type clause struct {
	media  string
	params map[string]string
	q      float64
}

// parseAccept reads an Accept header: the most wanted first, in order where they are equal.
func parseAccept(header string) []clause {
	var out []clause
	for part := range strings.SplitSeq(header, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		c := clause{media: media, params: params, q: 1}
		if q, err := strconv.ParseFloat(params["q"], 64); err == nil {
			c.q = q
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b clause) int {
		switch {
		case a.q > b.q:
			return -1
		case a.q < b.q:
			return 1
		}
		return 0
	})
	return out
}

// negotiate picks the form of the answer. Transformations are for requests on objects, and protobuf knows no tables.
func negotiate(r *http.Request, query url.Values) (form, error) {
	pretty := wantsPretty(r, query)
	header := r.Header.Get("Accept")
	if header == "" {
		return form{media: mediaJSON, pretty: pretty}, nil
	}
	for _, c := range parseAccept(header) {
		f := form{pretty: pretty && c.media != mediaProtobuf}
		switch c.media {
		case "*/*", "application/*", mediaJSON:
			f.media = mediaJSON
		case mediaYAML, mediaProtobuf:
			f.media = c.media
		default:
			continue
		}
		if p := c.params["pretty"]; p == "1" || p == "true" {
			f.pretty = f.media == mediaJSON
		}
		if as := c.params["as"]; as != "" {
			v := c.params["v"]
			if c.params["g"] != metav1.GroupName || v != "v1" || !slices.Contains([]string{asTable, asPartial, asPartialList}, as) {
				continue
			}
			if as == asTable && f.media == mediaProtobuf {
				continue
			}
			f.as = as
		}
		return f, nil
	}
	return form{media: mediaJSON, pretty: pretty}, notAcceptable(mediaJSON, mediaYAML, mediaProtobuf)
}

func wantsPretty(r *http.Request, query url.Values) bool {
	if p := query.Get("pretty"); p != "" {
		b, _ := strconv.ParseBool(p)
		return b
	}
	agent := r.UserAgent()
	return strings.HasPrefix(agent, "curl") || strings.HasPrefix(agent, "Wget") || strings.HasPrefix(agent, "Mozilla/5.0")
}

func notAcceptable(accepted ...string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotAcceptable, Reason: metav1.StatusReasonNotAcceptable,
		Message: fmt.Sprintf("only the following media types are accepted: %s", strings.Join(accepted, ", ")),
	}}
}

func unsupportedMedia(accepted ...string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: fmt.Sprintf("the body of the request was in an unknown format - accepted media types include: %s", strings.Join(accepted, ", ")),
	}}
}

// bodyMedia is the media type of the request's body; none means JSON.
func bodyMedia(r *http.Request) (string, error) {
	header := r.Header.Get("Content-Type")
	if header == "" {
		return mediaJSON, nil
	}
	media, _, err := mime.ParseMediaType(header)
	if err == nil && slices.Contains([]string{mediaJSON, mediaYAML, mediaProtobuf}, media) {
		return media, nil
	}
	return "", unsupportedMedia(mediaJSON, mediaYAML, mediaProtobuf)
}
