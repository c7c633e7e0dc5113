package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

type runtimeObject = runtime.Object

// unmarshal keeps integers as int64.
func unmarshal(data []byte, into any) error { return utiljson.Unmarshal(data, into) }

const stopValidating = "if you choose to ignore these errors, turn validation off with --validate=false"

// validateHeader refuses a document that does not say what it is; everything else the server validates.
func validateHeader(doc []byte, name string) error {
	var head any
	if err := json.Unmarshal(doc, &head); err != nil {
		return fmt.Errorf("error validating %q: error validating data: %v; %s", name, err, stopValidating)
	}
	fields, ok := head.(map[string]any)
	if !ok {
		return fmt.Errorf("error validating %q: error validating data: invalid object to validate; %s", name, stopValidating)
	}
	var missing []string
	for _, key := range []string{"apiVersion", "kind"} {
		if s, ok := fields[key].(string); !ok || s == "" {
			missing = append(missing, key+" not set")
		}
	}
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("error validating %q: error validating data: %s; %s", name, missing[0], stopValidating)
	}
	return fmt.Errorf("error validating %q: error validating data: [%s]; %s", name, strings.Join(missing, ", "), stopValidating)
}

// decodeManifest reads one document as an object.
func decodeManifest(doc []byte, name string) (*unstructured.Unstructured, error) {
	obj, _, err := unstructured.UnstructuredJSONScheme.Decode(doc, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("unable to decode %q: %v", name, err)
	}
	var u *unstructured.Unstructured
	switch t := obj.(type) {
	case *unstructured.Unstructured:
		u = t
	case *unstructured.UnstructuredList:
		return &unstructured.Unstructured{Object: t.UnstructuredContent()}, nil
	}
	// Metadata of the wrong type would be dropped silently by the accessors.
	var typed struct {
		metav1.TypeMeta   `json:""`
		metav1.ObjectMeta `json:"metadata"`
	}
	if err := unmarshal(doc, &typed); err != nil {
		return nil, fmt.Errorf("unable to decode %q: %v", name, err)
	}
	return u, nil
}

// ToManifest writes objects as YAML documents.
func ToManifest(objects []*Object) ([]byte, error) {
	var b bytes.Buffer
	for i, o := range objects {
		if i > 0 {
			b.WriteString("---\n")
		}
		data, err := yaml.Marshal(o.Unstructured.Object)
		if err != nil {
			return nil, err
		}
		b.Write(data)
	}
	return b.Bytes(), nil
}

// Parse reads objects from a manifest at hand.
func (c *Client) Parse(ctx context.Context, q Query, manifest []byte, name string) ([]*Object, error) {
	var out []*Object
	s := source{name, func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(manifest)), nil }}
	for o, err := range c.load(ctx, q, s) {
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}
