// Command api holds the rules of package api against those of Kubernetes itself: for each golden file it runs both sides'
// defaults, validation and tables on the same inputs and prints where they differ. The product never links it.
//
//	go run . [-fuzz N] [-seed N] [-v] [KIND...]
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/coordination/install"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	"k8s.io/kubernetes/pkg/capabilities"
	"k8s.io/kubernetes/pkg/printers"
	printersinternal "k8s.io/kubernetes/pkg/printers/internalversion"
	"k8s.io/kubernetes/pkg/registry/apps/controllerrevision"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/replicaset"
	"k8s.io/kubernetes/pkg/registry/coordination/lease"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/endpoint"
	"k8s.io/kubernetes/pkg/registry/core/event"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/node"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/discovery/endpointslice"
	"sigs.k8s.io/yaml"

	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/all"
	"github.com/kubeskiff/skiff/pkg/api/apitest"
)

type strategy interface {
	rest.RESTCreateStrategy
	rest.RESTUpdateStrategy
}

var strategies = map[string]strategy{
	"ConfigMap": configmap.Strategy, "Endpoints": endpoint.Strategy, "Event": event.Strategy, "Namespace": namespace.Strategy,
	"Node": node.Strategy, "Pod": pod.Strategy, "Secret": secret.Strategy, "Service": service.Strategy,
	"ServiceAccount": serviceaccount.Strategy, "Deployment": deployment.Strategy, "ReplicaSet": replicaset.Strategy,
	"ControllerRevision": controllerrevision.Strategy, "Lease": lease.Strategy, "EndpointSlice": endpointslice.Strategy,
}

var subresources = map[string]rest.RESTUpdateStrategy{
	"Namespace/status": namespace.StatusStrategy, "Namespace/finalize": namespace.FinalizeStrategy, "Node/status": node.StatusStrategy,
	"Pod/status": pod.StatusStrategy, "Pod/resize": pod.ResizeStrategy, "Pod/ephemeralcontainers": pod.EphemeralContainersStrategy,
	"Service/status": service.StatusStrategy, "Deployment/status": deployment.StatusStrategy, "ReplicaSet/status": replicaset.StatusStrategy,
}

var (
	random  = flag.Int("fuzz", 0, "compare this many random objects of each kind as well")
	seed    = flag.Int64("seed", 1, "where the random objects begin")
	verbose = flag.Bool("v", false, "print the random objects that differ")
)

func main() {
	flag.Parse()
	capabilities.Initialize(capabilities.Capabilities{AllowPrivileged: true})
	table := printers.NewTableGenerator().With(printersinternal.AddHandlers)
	differences := 0
	for _, k := range all.Kinds() {
		if flag.NArg() > 0 && !slices.Contains(flag.Args(), k.Kind) {
			continue
		}
		data, err := os.ReadFile(apitest.File("../../pkg/api", k))
		if err != nil {
			log.Fatal(err)
		}
		o := oracle{kind: k, archive: txtar.Parse(data), table: table}
		o.run()
		o.fuzz(*random, *seed)
		differences += o.differences
	}
	fmt.Printf("%d differences\n", differences)
	if differences > 0 {
		os.Exit(1)
	}
}

type oracle struct {
	kind        *api.Kind
	archive     *txtar.Archive
	table       printers.TableGenerator
	differences int
}

func (o *oracle) run() {
	input := apitest.Part(o.archive, "input.yaml")
	o.compare("defaulted", o.must(apitest.Defaulted(o.kind, input)), o.defaulted(input))
	o.compare("created", o.must(apitest.Created(o.kind, input)), o.created(input))
	o.compare("wide", o.must(apitest.Table(true)(o.kind, input)), o.cells(input))
	o.compare("warnings", o.must(apitest.Warnings(o.kind, input)), o.warnings(input))
	o.columns(input)
	for _, f := range o.archive.Files {
		switch {
		case strings.HasPrefix(f.Name, "reject/") && strings.HasSuffix(f.Name, ".yaml"):
			o.compare(f.Name, o.must(apitest.Create(o.kind, f.Data)), apitest.Errors(o.create(f.Data)))
			o.compare(f.Name+" warnings", o.must(apitest.Warnings(o.kind, f.Data)), o.warnings(f.Data))
		case strings.HasPrefix(f.Name, "update/") && strings.HasSuffix(f.Name, ".yaml"):
			o.update(f.Name, "", input, f.Data)
		case strings.HasPrefix(f.Name, "sub/") && strings.HasSuffix(f.Name, ".yaml"):
			o.update(f.Name, apitest.Subresource(f.Name), input, f.Data)
		}
	}
}

func (o *oracle) must(s string, err error) string {
	if err != nil {
		log.Fatalf("%s: %v", o.kind.Kind, err)
	}
	return s
}

// compare ignores the order of lines in lists of errors: both sides range over maps.
func (o *oracle) compare(what, ours, theirs string) {
	if ours == theirs {
		return
	}
	a, b := strings.Split(ours, "\n"), strings.Split(theirs, "\n")
	if what != "defaulted" {
		slices.Sort(a)
		slices.Sort(b)
	}
	if slices.Equal(a, b) {
		return
	}
	o.differences++
	fmt.Printf("== %s %s\n", o.kind.Kind, what)
	for _, l := range a {
		if !slices.Contains(b, l) {
			fmt.Println("  ours:   " + l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			fmt.Println("  theirs: " + l)
		}
	}
}

func (o *oracle) context() context.Context {
	ctx := genericapirequest.WithNamespace(context.Background(), "default")
	return genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{
		IsResourceRequest: true, APIGroup: o.kind.GroupVersion.Group, APIVersion: o.kind.GroupVersion.Version, Resource: o.kind.Resource,
	})
}

func (o *oracle) versioned(data []byte) runtime.Object {
	v, err := legacyscheme.Scheme.New(o.kind.GVK())
	if err == nil {
		err = yaml.UnmarshalStrict(data, v)
	}
	if err != nil {
		log.Fatalf("%s: %v", o.kind.Kind, err)
	}
	v.GetObjectKind().SetGroupVersionKind(o.kind.GVK())
	legacyscheme.Scheme.Default(v)
	return v
}

func (o *oracle) internal(data []byte) runtime.Object {
	i, err := legacyscheme.Scheme.ConvertToVersion(o.versioned(data), runtime.InternalGroupVersioner)
	if err != nil {
		log.Fatalf("%s: %v", o.kind.Kind, err)
	}
	return i
}

func (o *oracle) defaulted(data []byte) string {
	out, err := yaml.Marshal(o.versioned(data))
	return o.must(string(out), err)
}

func (o *oracle) create(data []byte) field.ErrorList {
	s, in := strategies[o.kind.Kind], o.internal(data)
	s.PrepareForCreate(o.context(), in)
	return s.Validate(o.context(), in)
}

func (o *oracle) warnings(data []byte) string {
	s, in := strategies[o.kind.Kind], o.internal(data)
	s.PrepareForCreate(o.context(), in)
	return lines(s.WarningsOnCreate(o.context(), in))
}

func (o *oracle) created(data []byte) string {
	in := o.internal(data)
	strategies[o.kind.Kind].PrepareForCreate(o.context(), in)
	return o.stored(in)
}

// stored writes an object as the real server stores it.
func (o *oracle) stored(in runtime.Object) string {
	v, err := legacyscheme.Scheme.ConvertToVersion(in, o.kind.GroupVersion)
	if err != nil {
		log.Fatalf("%s: %v", o.kind.Kind, err)
	}
	return o.must(apitest.YAML(v))
}

// update compares the errors, and where there are none what would be stored.
func (o *oracle) update(name, sub string, input, data []byte) {
	var s rest.RESTUpdateStrategy = strategies[o.kind.Kind]
	if sub != "" {
		s = subresources[o.kind.Kind+"/"+sub]
	}
	old, in := o.internal(input), o.internal(data)
	if is, ok := in.(*core.Service); ok && sub == "" {
		keepAllocated(is, old.(*core.Service))
	}
	was, _ := meta.Accessor(old)
	is, _ := meta.Accessor(in)
	was.SetGeneration(1)
	was.SetResourceVersion("1")
	is.SetUID(was.GetUID())
	is.SetResourceVersion("1")
	is.SetCreationTimestamp(was.GetCreationTimestamp())
	is.SetGeneration(was.GetGeneration())
	s.PrepareForUpdate(o.context(), in, old)
	theirs := apitest.Errors(s.ValidateUpdate(o.context(), in, old))
	ours, object, err := apitest.Updated(o.kind, sub, input, data)
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	o.compare(name, ours, theirs)
	if ours == "" && theirs == "" {
		o.compare(name+" stored", o.must(apitest.YAML(object)), o.stored(in))
	}
}

// keepAllocated stands for what the real server's storage does to a Service before its strategy sees it.
func keepAllocated(is, was *core.Service) {
	if is.Spec.ClusterIP == "" {
		is.Spec.ClusterIP, is.Spec.ClusterIPs = was.Spec.ClusterIP, was.Spec.ClusterIPs
	}
	if len(is.Spec.ClusterIPs) == 0 {
		is.Spec.ClusterIPs = []string{is.Spec.ClusterIP}
	}
	if len(is.Spec.IPFamilies) == 0 {
		is.Spec.IPFamilies = was.Spec.IPFamilies
	}
	if is.Spec.IPFamilyPolicy == nil {
		is.Spec.IPFamilyPolicy = was.Spec.IPFamilyPolicy
	}
	for i := range is.Spec.Ports {
		if is.Spec.Type == core.ServiceTypeLoadBalancer && is.Spec.Ports[i].Name == was.Spec.Ports[0].Name {
			is.Spec.Ports[i].NodePort = was.Spec.Ports[0].NodePort
		}
	}
}

func (o *oracle) cells(data []byte) string {
	t, err := o.table.GenerateTable(o.internal(data), printers.GenerateOptions{Wide: true})
	if err != nil {
		log.Fatal(err)
	}
	// The row as our side writes it, whatever the columns are: ages differ by the clock, which is why they are left out.
	fake := *o.kind
	fake.Columns = &api.Columns{Definitions: t.ColumnDefinitions, Cells: func(api.Object) []any { return t.Rows[0].Cells }}
	return o.must(apitest.Table(true)(&fake, data))
}

func (o *oracle) columns(data []byte) {
	t, err := o.table.GenerateTable(o.internal(data), printers.GenerateOptions{Wide: true})
	if err != nil {
		log.Fatal(err)
	}
	text := func(list []metav1.TableColumnDefinition) string {
		var b strings.Builder
		for _, d := range list {
			fmt.Fprintf(&b, "%+v\n", d)
		}
		return b.String()
	}
	o.compare("columns", text(o.kind.Columns.Definitions), text(t.ColumnDefinitions))
}

// lines writes each text once, as our side does: the server sends no warning twice.
func lines(list []string) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			b.WriteString(s + "\n")
		}
		seen[s] = true
	}
	return b.String()
}
