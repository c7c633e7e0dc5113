package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// discoveryOf is a server's answer in the aggregated form.
const coreDiscovery = `{"items":[{"metadata":{"name":""},"versions":[{"version":"v1","resources":[
 {"resource":"pods","responseKind":{"kind":"Pod"},"scope":"Namespaced","singularResource":"pod","verbs":["get","list"],"shortNames":["po"],"categories":["all"]},
 {"resource":"configmaps","responseKind":{"kind":"ConfigMap"},"scope":"Namespaced","singularResource":"configmap","verbs":["get","list"],"shortNames":["cm"]},
 {"resource":"events","responseKind":{"kind":"Event"},"scope":"Namespaced","singularResource":"event","verbs":["list"]},
 {"resource":"namespaces","responseKind":{"kind":"Namespace"},"scope":"Cluster","singularResource":"namespace","verbs":["get"],"shortNames":["ns"]}]}]}]}`

const groupDiscovery = `{"items":[{"metadata":{"name":"apps"},"versions":[
 {"version":"v1","resources":[{"resource":"deployments","responseKind":{"kind":"Deployment"},"scope":"Namespaced","singularResource":"deployment","verbs":["get","list"],"shortNames":["deploy"],"categories":["all"],"subresources":[{"subresource":"scale"}]}]},
 {"version":"v1beta1","resources":[{"resource":"deployments","responseKind":{"kind":"Deployment"},"scope":"Namespaced","verbs":["get"]}]}]},
 {"metadata":{"name":"events.k8s.io"},"versions":[{"version":"v1","resources":[{"resource":"events","responseKind":{"kind":"Event"},"scope":"Namespaced","verbs":["list"]}]}]}]}`

func serve(t *testing.T, handler http.HandlerFunc) (*Client, *atomic.Int32) {
	t.Helper()
	var discoveries atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api", "/apis":
			discoveries.Add(1)
			w.Header().Set("Content-Type", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
			if r.URL.Path == "/api" {
				fmt.Fprint(w, coreDiscovery)
			} else {
				fmt.Fprint(w, groupDiscovery)
			}
		default:
			w.Header().Set("Content-Type", "application/json")
			handler(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return New(Config{
		REST:     func(context.Context) (*rest.Config, error) { return &rest.Config{Host: server.URL}, nil },
		CacheDir: t.TempDir(), Namespace: "default",
	}), &discoveries
}

func status(w http.ResponseWriter, err *apierrors.StatusError) {
	err.ErrStatus.Kind = "Status"
	w.WriteHeader(int(err.ErrStatus.Code))
	_ = json.NewEncoder(w).Encode(err.ErrStatus)
}

func TestMapper(t *testing.T) {
	c, _ := serve(t, nil)
	m, err := c.Mapper(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{
		"pods": "/v1/pods", "pod": "/v1/pods", "po": "/v1/pods", "Pod": "/v1/pods", "PODS": "/v1/pods",
		"deploy": "apps/v1/deployments", "deployments.apps": "apps/v1/deployments", "deployments.v1beta1.apps": "apps/v1beta1/deployments",
		"Deployment.v1.apps": "apps/v1/deployments", "events": "/v1/events", "events.events.k8s.io": "events.k8s.io/v1/events", "ns": "/v1/namespaces",
	} {
		got, err := m.ByArg(t.Context(), arg)
		if err != nil {
			t.Errorf("%s: %v", arg, err)
			continue
		}
		if s := got.GVR.Group + "/" + got.GVR.Version + "/" + got.GVR.Resource; s != want {
			t.Errorf("%s: got %s, want %s", arg, s, want)
		}
	}
	for arg, want := range map[string]string{
		"nope": `the server doesn't have a resource type "nope"`, "nope.apps": `the server doesn't have a resource type "nope" in group "apps"`,
	} {
		if _, err := m.ByArg(t.Context(), arg); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", arg, err, want)
		}
	}
	var all []string
	for _, r := range m.Category("all") {
		all = append(all, r.GVR.Resource)
	}
	if strings.Join(all, " ") != "pods deployments" {
		t.Errorf("all is %v", all)
	}
	got, err := m.ByGVK(t.Context(), schema.GroupVersionKind{Group: "apps", Kind: "Deployment"})
	if err != nil || got.GVR.Version != "v1" || got.Path("ns", "web", "scale") != "/apis/apps/v1/namespaces/ns/deployments/web/scale" || got.KindName("web") != "deployment.apps/web" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := m.ByGVK(t.Context(), schema.GroupVersionKind{Version: "v1", Kind: "Foo"}); err == nil || err.Error() != `no matches for kind "Foo" in version "v1"` {
		t.Errorf("got %v", err)
	}
}

func TestDiscoveryIsStoredAndAskedAgainForWhatItLacks(t *testing.T) {
	c, discoveries := serve(t, nil)
	if _, err := c.Mapper(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := New(c.Config)
	m, err := again.Mapper(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ByArg(t.Context(), "pods"); err != nil || discoveries.Load() != 2 {
		t.Errorf("%d requests, %v", discoveries.Load(), err)
	}
	for range 2 {
		if _, err := m.ByArg(t.Context(), "widgets"); err == nil {
			t.Error("there are widgets")
		}
	}
	if discoveries.Load() != 4 {
		t.Errorf("%d requests, want 4: the server is asked once more", discoveries.Load())
	}
}

func TestPlainDiscovery(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, map[string]string{
			"/api":          `{"versions":["v1"]}`,
			"/apis":         `{"groups":[{"name":"apps","versions":[{"version":"v1beta1"},{"version":"v1"}],"preferredVersion":{"version":"v1"}}]}`,
			"/api/v1":       `{"resources":[{"name":"pods","namespaced":true,"kind":"Pod"},{"name":"pods/log","kind":"Pod"}]}`,
			"/apis/apps/v1": `{"resources":[{"name":"deployments","namespaced":true,"kind":"Deployment"}]}`,
		}[r.URL.Path])
	}))
	defer server.Close()
	c := New(Config{REST: func(context.Context) (*rest.Config, error) { return &rest.Config{Host: server.URL}, nil }})
	m, err := c.Mapper(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.ByArg(t.Context(), "pods")
	if err != nil || len(p.Subresources) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	if d, err := m.ByArg(t.Context(), "deployments"); err != nil || d.GVR.Version != "v1" {
		t.Errorf("%+v, %v", d, err)
	}
	if len(m.Groups) != 2 || !m.Groups[1].Versions[1].Stale {
		t.Errorf("a version that does not answer is not stale: %+v", m.Groups)
	}
}

func TestErrorsOfTheServerPassWhole(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/text":
			w.WriteHeader(503)
			fmt.Fprint(w, "overloaded")
		default:
			status(w, apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, "x"))
		}
	})
	_, err := c.GetRaw(t.Context(), "/any")
	if !apierrors.IsNotFound(err) || err.Error() != `pods "x" not found` {
		t.Errorf("got %v", err)
	}
	if _, err = c.GetRaw(t.Context(), "/text"); err == nil || !strings.Contains(err.Error(), "the server is currently unable to handle the request") {
		t.Errorf("got %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	tries := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries < 3 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(429)
			return
		}
		fmt.Fprint(w, "{}")
	})
	if _, err := c.GetRaw(t.Context(), "/x"); err != nil || tries != 3 {
		t.Errorf("%d tries, %v", tries, err)
	}
}

func TestWarningsAreWrittenOnce(t *testing.T) {
	var out strings.Builder
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Warning", `299 - "old"`)
		fmt.Fprint(w, "{}")
	})
	c.warned.out, c.WarningsAsErrors = &out, true
	for range 2 {
		if _, err := c.GetRaw(t.Context(), "/x"); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != "Warning: old\n" {
		t.Errorf("got %q", out.String())
	}
	if err := c.WarningError(); err == nil || err.Error() != "1 warning received" {
		t.Errorf("got %v", err)
	}
}

// configMaps serves three of them, in chunks.
func configMaps(w http.ResponseWriter, r *http.Request) {
	items := []string{"a", "b", "c"}
	from := 0
	fmt.Sscan(r.URL.Query().Get("continue"), &from)
	to, next := len(items), ""
	if limit := 0; r.URL.Query().Get("limit") != "" {
		fmt.Sscan(r.URL.Query().Get("limit"), &limit)
		if from+limit < to {
			to = from + limit
			next = fmt.Sprint(to)
		}
	}
	var b []string
	for _, n := range items[from:to] {
		b = append(b, `{"metadata":{"name":"`+n+`","namespace":"default"}}`)
	}
	fmt.Fprintf(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"continue":%q},"items":[%s]}`, next, strings.Join(b, ","))
}

func TestFindFollowsChunks(t *testing.T) {
	requests := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		configMaps(w, r)
	})
	var got []string
	for o, err := range c.Find(t.Context(), Query{Args: []string{"cm"}, ListAll: true, ChunkSize: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.KindName()+" "+o.GetKind())
	}
	if requests != 3 || strings.Join(got, ",") != "configmap/a ConfigMap,configmap/b ConfigMap,configmap/c ConfigMap" {
		t.Errorf("%d requests: %v", requests, got)
	}
	var list corev1.ConfigMapList
	if err := c.List(t.Context(), "default", metav1.ListOptions{Limit: 2}, &list); err != nil || len(list.Items) != 3 || list.Items[2].Name != "c" {
		t.Errorf("%+v, %v", list.Items, err)
	}
}

func TestFindStopsWhenTheCallerDoes(t *testing.T) {
	requests := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		configMaps(w, r)
	})
	for range c.Find(t.Context(), Query{Args: []string{"cm"}, ListAll: true, ChunkSize: 1}) {
		break
	}
	if requests != 1 {
		t.Errorf("%d requests", requests)
	}
}

func TestAMissingNamespaceIsNamed(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/namespaces/other" {
			status(w, apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "other"))
			return
		}
		status(w, apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, "x"))
	})
	_, err := c.Single(t.Context(), Query{Args: []string{"pod/x"}, Namespace: "other"})
	if err == nil || err.Error() != `namespaces "other" not found` {
		t.Errorf("got %v", err)
	}
	_, err = c.Single(t.Context(), Query{Args: []string{"pod/x"}})
	if err == nil || err.Error() != `pods "x" not found` {
		t.Errorf("got %v", err)
	}
	objects, errs := c.All(t.Context(), Query{Args: []string{"pod/x"}, IgnoreNotFound: true})
	if len(objects) != 0 || len(errs) != 0 {
		t.Errorf("got %v, %v", objects, errs)
	}
}

func TestWatch(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") != "true" || r.URL.Query().Get("fieldSelector") != "metadata.name=a" {
			t.Errorf("asked for %s", r.URL)
		}
		fmt.Fprint(w, `{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}}`+"\n")
		fmt.Fprint(w, `{"type":"ERROR","object":{"kind":"Status","reason":"Expired","message":"too old","code":410}}`)
	})
	m, err := c.Mapping(t.Context(), schema.GroupVersionKind{Version: "v1", Kind: "Pod"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for e, err := range c.Watch(t.Context(), Target{Mapping: m, Name: "a"}, metav1.ListOptions{}, "") {
		got = append(got, e.Type)
		if (err != nil) != (e.Type == "ERROR") || err != nil && !apierrors.IsResourceExpired(err) {
			t.Errorf("%s: %v", e.Type, err)
		}
	}
	if strings.Join(got, " ") != "ADDED ERROR" {
		t.Errorf("got %v", got)
	}
}

func TestCreateTypedTakesTheAnswer(t *testing.T) {
	c, discoveries := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.String() != "/apis/apps/v1/namespaces/team/deployments?dryRun=All&fieldManager=me" {
			t.Errorf("asked for %s", r.URL)
		}
		fmt.Fprint(w, `{"metadata":{"name":"web","uid":"1"}}`)
	})
	d := &appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: map[string]string{"a": "b"}}}
	if err := c.CreateTyped(t.Context(), "team", d, WriteOptions{DryRun: true, FieldManager: "me"}); err != nil {
		t.Fatal(err)
	}
	if d.UID != "1" || d.Labels != nil || d.Kind != "Deployment" || discoveries.Load() != 0 {
		t.Errorf("got %+v after %d discoveries", d, discoveries.Load())
	}
}

func TestManifests(t *testing.T) {
	c, _ := serve(t, nil)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	two := write("two.yaml", "# nothing\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n")
	lists := write("list.json", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"x","labels":{"a":"b"}}}]}]}`)
	write("sub/deep.yml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: deep}}")
	write("sub/notes.txt", "no manifest")
	bad := write("bad/bad.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n bad: [\n")
	kindless := write("bad/kindless.yaml", "{metadata: {name: x}}")
	foo := write("bad/foo.yaml", "{apiVersion: v1, kind: Foo, metadata: {name: x}}")
	for _, test := range []struct {
		name string
		q    Query
		want string
	}{
		{"documents", Query{Filenames: []string{two}}, "configmap/a in default, namespace/ns in "},
		{"lists in lists", Query{Filenames: []string{lists}}, "pod/p in x"},
		{"a directory", Query{Filenames: []string{filepath.Join(dir, "sub")}}, "configmap/deep in default"},
		{"a pattern", Query{Filenames: []string{filepath.Join(dir, "*.json")}}, "pod/p in x"},
		{"recursive", Query{Filenames: []string{filepath.Join(dir, "sub"), two}, Recursive: true}, "configmap/deep in default, configmap/a in default, namespace/ns in "},
		{"a selector", Query{Filenames: []string{two, lists}, LabelSelector: "a=b"}, "pod/p in x"},
		{"broken", Query{Filenames: []string{bad}}, "error parsing " + bad + ": error converting YAML to JSON: yaml: line 4: did not find expected key"},
		{"no kind", Query{Filenames: []string{kindless}, Validate: true}, `error validating "` + kindless + `": error validating data: [apiVersion not set, kind not set]; if you choose`},
		{"no kind, not validated", Query{Filenames: []string{kindless}}, `unable to decode "` + kindless + `": Object 'Kind' is missing in '{"metadata":{"name":"x"}}'`},
		{"an unknown kind", Query{Filenames: []string{foo}}, `resource mapping not found for name: "x" namespace: "" from "` + foo + `": no matches for kind "Foo" in version "v1"` + "\nensure CRDs are installed first"},
		{"missing", Query{Filenames: []string{"nope.yaml"}}, `the path "nope.yaml" does not exist`},
		{"stdin twice", Query{Filenames: []string{"-", "-"}}, "standard input cannot be used for multiple arguments"},
		{"both", Query{Filenames: []string{two}, Kustomize: "."}, "only one of -f or -k can be specified"},
		{"arguments too", Query{Filenames: []string{two}, Args: []string{"pods"}}, "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well"},
		{"local", Query{Args: []string{"pods"}, Local: true}, "error: you must specify resources by --filename when --local is set."},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for o, err := range c.Find(t.Context(), test.q) {
				if err != nil {
					got = append(got, err.Error())
				} else {
					got = append(got, o.KindName()+" in "+o.Namespace)
				}
			}
			if s := strings.Join(got, ", "); !strings.HasPrefix(s, test.want) {
				t.Errorf("got %s\nwant %s", s, test.want)
			}
		})
	}
}

func TestAnExplicitNamespaceMustFit(t *testing.T) {
	c, _ := serve(t, nil)
	c.Namespace, c.NamespaceExplicit = "here", true
	c.Stdin = strings.NewReader("{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: there}}")
	_, errs := c.All(t.Context(), Query{Filenames: []string{"-"}})
	want := `the namespace from the provided object "there" does not match the namespace "here". You must pass '--namespace=there' to perform this operation.`
	if len(errs) != 1 || errs[0].Error() != want {
		t.Errorf("got %v", errs)
	}
}

func TestURL(t *testing.T) {
	c, _ := serve(t, nil)
	tries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries++; r.URL.Path == "/nope" {
			w.WriteHeader(404)
			return
		}
		fmt.Fprint(w, "{apiVersion: v1, kind: ConfigMap, metadata: {name: web}}")
	}))
	defer server.Close()
	objects, errs := c.All(t.Context(), Query{Filenames: []string{server.URL + "/a.yaml"}})
	if len(objects) != 1 || len(errs) != 0 || objects[0].Source != server.URL+"/a.yaml" {
		t.Errorf("got %v, %v", objects, errs)
	}
	_, errs = c.All(t.Context(), Query{Filenames: []string{server.URL + "/nope"}})
	if len(errs) != 1 || errs[0].Error() != fmt.Sprintf("unable to read URL %q, server reported 404 Not Found, status code=404", server.URL+"/nope") || tries != 2 {
		t.Errorf("got %v after %d tries", errs, tries)
	}
}
