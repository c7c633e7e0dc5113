// Package clustertest is a cluster in memory for tests, ours and those of controller authors: the real API server with all
// kinds over a store without a file, in a testing/synctest bubble, where ten minutes pass in milliseconds. It runs no
// controller by itself, has no nodes, and is never linked into the product.
package clustertest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/all"
	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// Cluster is an API server with what a test needs around it.
type Cluster struct {
	Server    *apiserver.Server
	Store     store.Store
	Informers informers.SharedInformerFactory

	t      testing.TB
	ctx    context.Context
	cancel context.CancelFunc
	client kubernetes.Interface
	done   chan struct{} // gets one value for each runner that has ended
	runs   int
}

// Run calls f in a bubble of fake time with a cluster that holds objs.
func Run(t *testing.T, f func(t *testing.T, c *Cluster), objs ...api.Object) {
	synctest.Test(t, func(t *testing.T) { f(t, New(t, objs...)) })
}

// New starts a cluster with the system namespaces and objs, whose namespaces are made as needed. Everything of it has ended
// when the test has. Within synctest.Test, t must be the bubble's.
func New(t testing.TB, objs ...api.Object) *Cluster {
	t.Helper()
	return With(t, nil, objs...)
}

// With is New with a chance to change the server's configuration.
func With(t testing.TB, configure func(*apiserver.Config), objs ...api.Object) *Cluster {
	t.Helper()
	c := &Cluster{t: t, done: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	kinds := all.Kinds()
	var err error
	if c.Store, err = store.New(store.Memory(), apiserver.Codec(kinds)); err != nil {
		t.Fatalf("open the store: %v", err)
	}
	config := apiserver.Config{
		Store: c.Store, Kinds: kinds, Admission: plugins(c.Store),
		Version: version.Info{Major: "1", Minor: "37", GitVersion: "v1.37.2"},
	}
	if configure != nil {
		configure(&config)
	}
	if c.Server, err = apiserver.New(config); err != nil {
		t.Fatalf("make the API server: %v", err)
	}
	c.start(func() { _ = c.Server.ServePipe() })
	t.Cleanup(c.stop)
	if err := c.Server.Bootstrap(c.ctx); err != nil {
		t.Fatalf("bootstrap: %v", err)
	}
	c.client = c.ClientFor(auth.Admin())
	c.Informers = informers.NewSharedInformerFactory(c.client, 0)
	c.Create(objs...)
	return c
}

// plugins are the default ones but for service accounts, which a cluster without controllers does not have.
func plugins(s store.Store) []admission.Plugin {
	var out []admission.Plugin
	for _, p := range admission.Default(apiserver.NewReader(s)) {
		if p.Name() != "ServiceAccount" {
			out = append(out, p)
		}
	}
	return out
}

// Client is the administrator's client.
func (c *Cluster) Client() kubernetes.Interface { return c.client }

// Config is a client-go configuration for a user; its connections end with the cluster.
func (c *Cluster) Config(user auth.User) *rest.Config { return c.Server.ClientConfig(user) }

// ClientFor is a client of its own for a user.
func (c *Cluster) ClientFor(user auth.User) kubernetes.Interface {
	c.t.Helper()
	client, err := kubernetes.NewForConfig(c.Config(user))
	if err != nil {
		c.t.Fatalf("make a client for %s: %v", user.Name, err)
	}
	return client
}

// Context ends with the cluster.
func (c *Cluster) Context() context.Context { return c.ctx }

// Create writes objects through the API, and the namespaces they need. A status that an object has is written as well.
func (c *Cluster) Create(objs ...api.Object) {
	c.t.Helper()
	for _, obj := range objs {
		c.ensureNamespace(obj.GetNamespace())
		if err := c.create(obj); err != nil {
			c.t.Fatalf("create %T %s: %v", obj, obj.GetName(), err)
		}
	}
}

func (c *Cluster) ensureNamespace(name string) {
	if name == "" {
		return
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := c.client.CoreV1().Namespaces().Create(c.ctx, ns, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		c.t.Fatalf("create namespace %s: %v", name, err)
	}
}

func (c *Cluster) create(obj api.Object) error {
	kind, err := kindOf(obj)
	if err != nil {
		return err
	}
	if obj.GetNamespace() == "" && kind.Namespaced {
		obj.SetNamespace(metav1.NamespaceDefault)
	}
	config := rest.CopyConfig(c.Config(auth.Admin()))
	gv := kind.GroupVersion
	config.GroupVersion, config.NegotiatedSerializer, config.APIPath = &gv, codecs, "/apis"
	if gv.Group == "" {
		config.APIPath = "/api"
	}
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return err
	}
	made := kind.New()
	err = client.Post().NamespaceIfScoped(obj.GetNamespace(), kind.Namespaced).Resource(kind.Resource).Body(obj).Do(c.ctx).Into(made)
	if err != nil || kind.Subresources["status"] == nil || !hasStatus(obj) {
		return err
	}
	full := obj.DeepCopyObject().(api.Object)
	full.SetResourceVersion(made.GetResourceVersion())
	full.SetUID(made.GetUID())
	return client.Put().NamespaceIfScoped(obj.GetNamespace(), kind.Namespaced).Resource(kind.Resource).
		Name(made.GetName()).SubResource("status").Body(full).Do(c.ctx).Into(made)
}

// hasStatus says whether a test wrote a status, rather than leave it to the server.
func hasStatus(obj api.Object) bool {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
	status, _ := content["status"].(map[string]any)
	return err == nil && len(status) > 0
}

// StartInformers starts the informers that have been asked for and waits until they are filled.
func (c *Cluster) StartInformers() {
	c.t.Helper()
	c.Informers.StartWithContext(c.ctx)
	for typ, ok := range c.Informers.WaitForCacheSync(c.ctx.Done()) {
		if !ok {
			c.t.Fatalf("the informer of %v did not fill", typ)
		}
	}
}

// Runner is what runs until its context ends: a controller, the scheduler.
type Runner interface{ Run(ctx context.Context) }

// Run starts the informers and then the runners, which end with the cluster.
func (c *Cluster) Run(runners ...Runner) {
	c.t.Helper()
	c.StartInformers()
	for _, r := range runners {
		c.start(func() { r.Run(c.ctx) })
	}
}

func (c *Cluster) start(f func()) {
	c.runs++
	go func() {
		f()
		c.done <- struct{}{}
	}()
}

// Wait gives the cluster time, the bubble's, until the condition holds.
func (c *Cluster) Wait(what string, condition func() bool) {
	c.t.Helper()
	const step, most = 50 * time.Millisecond, 30 * time.Minute
	tick := time.NewTicker(step)
	defer tick.Stop()
	for start := time.Now(); !condition(); <-tick.C {
		if time.Since(start) > most {
			c.t.Fatalf("after %s: still not %s", most, what)
		}
	}
}

// Pass lets fake time go by.
func (c *Cluster) Pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}

func (c *Cluster) stop() {
	c.cancel()
	if c.Informers != nil {
		c.Informers.Shutdown()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Server.Shutdown(ctx); err != nil {
		c.t.Errorf("stop the API server: %v", err)
	}
	for range c.runs {
		<-c.done
	}
	if err := c.Store.Close(); err != nil {
		c.t.Errorf("close the store: %v", err)
	}
}

func kindOf(obj api.Object) (*api.Kind, error) {
	gvks, _, err := all.Scheme().ObjectKinds(obj)
	if err != nil {
		return nil, err
	}
	for _, k := range all.Kinds() {
		if k.GVK() == gvks[0] {
			return k, nil
		}
	}
	return nil, fmt.Errorf("%s is not served", gvks[0])
}
