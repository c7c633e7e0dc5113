// Package schema holds what the types of the API look like: the OpenAPI v3 schemas of each group version, with the
// names and descriptions that the real server publishes, and the converters that server-side apply merges with. Both are
// read from embedded files at first use, and of these no more than is asked for: a cluster that starts waits for it. It knows no paths and no verbs (the API server adds those), and no rules
// beyond what a schema can say.
package schema

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

//go:embed zz_generated_*.json.gz
var files embed.FS

// A document is one group version, each part made at first use.
type document struct {
	raw   func() ([]byte, error)
	parts func() (map[string][]byte, error) // model name to its schema, as JSON
	index func() (map[schema.GroupVersionKind]string, error)
}

var documents sync.Map // schema.GroupVersion → *document

func open(gv schema.GroupVersion) *document {
	if d, ok := documents.Load(gv); ok {
		return d.(*document)
	}
	d := &document{}
	d.raw = sync.OnceValues(func() ([]byte, error) { return read(gv) })
	d.parts = sync.OnceValues(func() (map[string][]byte, error) {
		raw, err := d.raw()
		if err != nil {
			return nil, err
		}
		return split(raw)
	})
	d.index = sync.OnceValues(func() (map[schema.GroupVersionKind]string, error) {
		parts, err := d.parts()
		if err != nil {
			return nil, err
		}
		return indexKinds(parts)
	})
	kept, _ := documents.LoadOrStore(gv, d)
	return kept.(*document)
}

// Has says whether there are schemas of a group version.
func Has(gv schema.GroupVersion) bool {
	_, err := fs.Stat(files, fileName(gv))
	return err == nil
}

// Components gives the schemas of a group version as one JSON object, model name to schema: what stands under
// components.schemas of its OpenAPI v3 document. The bytes are shared and must not be changed.
func Components(gv schema.GroupVersion) ([]byte, error) { return open(gv).raw() }

// Document gives a whole OpenAPI v3 document of a group version around the given paths (a JSON object; nil means none).
func Document(gv schema.GroupVersion, version string, paths []byte) ([]byte, error) {
	schemas, err := Components(gv)
	if err != nil {
		return nil, err
	}
	if paths == nil {
		paths = []byte("{}")
	}
	title, err := json.Marshal(version)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(schemas)+len(paths)+256)
	out = append(out, `{"openapi":"3.0.0","info":{"title":"Kubernetes","version":`...)
	out = append(append(out, title...), `},"paths":`...)
	out = append(append(out, paths...), `,"components":{"schemas":`...)
	return append(append(out, schemas...), "}}"...), nil
}

// Name gives the model name of a kind, such as io.k8s.api.core.v1.Pod. Bodies of subresources (a Scale, a Binding) are
// found in the group version that serves them, which is why it is asked for.
func Name(gv schema.GroupVersion, kind schema.GroupVersionKind) (string, error) {
	index, err := open(gv).index()
	if err != nil {
		return "", err
	}
	name, ok := index[kind]
	if !ok {
		return "", fmt.Errorf("no schema of %s in %s", kind, gv)
	}
	return name, nil
}

func fileName(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "zz_generated_" + gv.Version + ".json.gz"
	}
	return "zz_generated_" + gv.Group + "_" + gv.Version + ".json.gz"
}

func read(gv schema.GroupVersion) ([]byte, error) {
	packed, err := files.ReadFile(fileName(gv))
	if err != nil {
		return nil, fmt.Errorf("no schemas of %s", gv)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("open the schemas of %s: %w", gv, err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("read the schemas of %s: %w", gv, err)
	}
	return raw, nil
}
