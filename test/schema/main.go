// Command schema writes pkg/api/schema/zz_generated_*.json.gz: the OpenAPI v3 schemas of each group version that skiff
// serves, with the doc comments of k8s.io/api as descriptions. `make generate` runs it by way of ./generate; the product
// never links it.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"k8s.io/kube-openapi/pkg/builder3"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/kubeskiff/skiff/test/schema/definitions"
)

const (
	apis = "io.k8s.api."
	meta = "io.k8s.apimachinery.pkg.apis.meta.v1."
)

// A groupVersion is one document: its own kinds (with their lists), and bodies of subresources that live in other groups.
type groupVersion struct {
	file, group, version, model string
	kinds                       []string
	bodies                      []string
}

var documents = []groupVersion{
	{"v1", "", "v1", "core.v1.", []string{"ConfigMap", "Endpoints", "Event", "Namespace", "Node", "Pod", "Secret", "Service", "ServiceAccount"},
		[]string{"core.v1.Binding", "policy.v1.Eviction", "authentication.v1.TokenRequest"}},
	{"apps_v1", "apps", "v1", "apps.v1.", []string{"ControllerRevision", "Deployment", "ReplicaSet"}, []string{"autoscaling.v1.Scale"}},
	{"coordination.k8s.io_v1", "coordination.k8s.io", "v1", "coordination.v1.", []string{"Lease"}, nil},
	{"discovery.k8s.io_v1", "discovery.k8s.io", "v1", "discovery.v1.", []string{"EndpointSlice"}, nil},
}

// Groups of the bodies, whose names say the model's package and not the API group.
var bodyGroups = map[string]string{"core": "", "policy": "policy", "authentication": "authentication.k8s.io", "autoscaling": "autoscaling"}

func main() {
	out := flag.String("out", "../../pkg/api/schema", "the folder to write to")
	flag.Parse()
	for _, d := range documents {
		if err := d.write(*out); err != nil {
			log.Fatalf("write schemas of %s/%s: %v", d.group, d.version, err)
		}
	}
}

func (d groupVersion) write(dir string) error {
	kinds, roots := d.roots()
	config := &common.OpenAPIV3Config{
		GetDefinitions: definitions.GetOpenAPIDefinitions,
		GetDefinitionName: func(name string) (string, spec.Extensions) {
			if gvks := kinds[name]; gvks != nil {
				return name, spec.Extensions{"x-kubernetes-group-version-kind": gvks}
			}
			return name, nil
		},
	}
	schemas, err := builder3.BuildOpenAPIDefinitionsForResources(config, roots...)
	if err != nil {
		return err
	}
	// The body of a patch is any object: its Go type has no fields to tell.
	patch := spec.Schema{}
	patch.Description = "Patch is provided to give a concrete name and type to the Kubernetes PATCH request body."
	patch.Type = spec.StringOrArray{"object"}
	schemas[meta+"Patch"] = &patch
	data, err := json.Marshal(schemas)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if _, err := z.Write(data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	file := filepath.Join(dir, "zz_generated_"+d.file+".json.gz")
	fmt.Printf("%s: %d schemas, %d bytes, %d packed\n", file, len(schemas), len(data), packed.Len())
	return os.WriteFile(file, packed.Bytes(), 0o644)
}

// roots gives the models to start from, and the group versions and kinds of each.
func (d groupVersion) roots() (kinds map[string][]any, roots []string) {
	kinds = map[string][]any{meta + "Status": {gvk("", "v1", "Status")}}
	for _, k := range d.kinds {
		for _, name := range []string{k, k + "List"} {
			kinds[apis+d.model+name] = []any{gvk(d.group, d.version, name)}
		}
	}
	for _, b := range d.bodies {
		part := strings.Split(b, ".")
		kinds[apis+b] = []any{gvk(bodyGroups[part[0]], part[1], part[2])}
	}
	for _, name := range []string{"DeleteOptions", "WatchEvent"} {
		kinds[meta+name] = []any{gvk("", "v1", name)}
		if d.group != "" {
			kinds[meta+name] = append(kinds[meta+name], gvk(d.group, d.version, name))
		}
	}
	kinds[meta+"APIResourceList"] = []any{gvk("", "v1", "APIResourceList")}
	for name := range kinds {
		roots = append(roots, name)
	}
	sort.Strings(roots)
	return kinds, roots
}

func gvk(group, version, kind string) any {
	return map[string]any{"group": group, "version": version, "kind": kind}
}
