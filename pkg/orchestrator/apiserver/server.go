// Package apiserver speaks the Kubernetes API over HTTP: one file per verb, each read top to bottom in pipeline order
// (authenticate, authorize, decode, default, mutating admission, prepare, validate, validating admission, store), beside
// discovery, OpenAPI, tables and the joints to the kubelets. It knows no kind by name: what it must know of one is a facet of
// api.Kind. It runs no controller and opens no listener but the one in memory.
package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// Config is what a Server is made of.
type Config struct {
	Store store.Store
	Kinds []*api.Kind
	// Authenticator names the user of a request that did not come over the in-memory listener; nil refuses all of them.
	Authenticator auth.Authenticator
	// Authorizer decides; nil allows everything to everybody who is authenticated.
	Authorizer auth.Authorizer
	// TokenReviewer authenticates a bearer token for TokenReview; nil answers "not authenticated".
	TokenReviewer func(ctx context.Context, token string, audiences []string) (*auth.User, []string, error)
	// SignToken makes a service account's token for the TokenRequest subresource.
	SignToken func(ctx context.Context, r TokenRequest) (token string, err error)
	// Issuer is the audience of tokens that ask for none.
	Issuer    string
	Admission []admission.Plugin

	// ServiceRange is where cluster IPs come from, NodePorts the first and last port of that range.
	ServiceRange netip.Prefix
	NodePorts    [2]int

	// KubeletDial opens a connection to a node's agent: authenticated already, plain HTTP/1.1 is spoken on it.
	KubeletDial func(ctx context.Context, node string) (net.Conn, error)
	// PodDial opens a connection to a pod's or service's address for the proxy subresources; nil dials from this process.
	PodDial func(ctx context.Context, network, address string) (net.Conn, error)

	// Endpoint is where clients reach this server from outside; Bootstrap writes it to the kubernetes Service's endpoints.
	Endpoint netip.AddrPort
	Version  version.Info
	// Checks are asked by /readyz and /livez, by name.
	Checks map[string]func() error

	// MaxReads and MaxWrites bound the requests under way that are no watches and no connections; 0 gives 400 and 200.
	MaxReads, MaxWrites int
}

// TokenRequest is what SignToken is asked for.
type TokenRequest struct {
	Namespace, Name, UID string
	Audiences            []string
	Expires              time.Time
	// Bound names the object whose deletion ends the token: Kind, name and uid; all empty where it is bound to none.
	BoundKind, BoundName, BoundUID string
}

// Server is the API server. It is an http.Handler; Serve runs it on listeners.
type Server struct {
	cfg       Config
	store     store.Store
	resources *registry
	allocator *allocator
	discovery *discovery
	openapi   *openapi
	reads     *places
	writes    *places
	pipe      *PipeListener

	mu         sync.Mutex
	servers    []*http.Server
	transports []*http.Transport
	stopping   bool
	inside     sync.WaitGroup // the requests of the process's own clients
	// done ends watches and connections at Shutdown.
	done chan struct{}
}

// New makes a Server. It opens nothing and writes nothing: see Bootstrap and Serve.
func New(cfg Config) (*Server, error) {
	if cfg.Store == nil {
		return nil, errors.New("make API server: a store is required")
	}
	if cfg.MaxReads == 0 {
		cfg.MaxReads = 400
	}
	if cfg.MaxWrites == 0 {
		cfg.MaxWrites = 200
	}
	if cfg.NodePorts == [2]int{} {
		cfg.NodePorts = [2]int{30000, 32767}
	}
	if !cfg.ServiceRange.IsValid() {
		cfg.ServiceRange = netip.MustParsePrefix("10.96.0.0/16")
	}
	s := &Server{
		cfg: cfg, store: cfg.Store, pipe: NewPipeListener(), done: make(chan struct{}),
		reads: newPlaces(cfg.MaxReads), writes: newPlaces(cfg.MaxWrites),
	}
	resources, err := newRegistry(cfg.Kinds)
	if err != nil {
		return nil, fmt.Errorf("make API server: %w", err)
	}
	s.resources = resources
	s.addReviews()
	s.discovery = newDiscovery(s.resources)
	s.openapi = newOpenAPI(s)
	if s.allocator, err = newAllocator(cfg, s.resources); err != nil {
		return nil, fmt.Errorf("make API server: %w", err)
	}
	return s, nil
}

// Serve answers requests from l until Shutdown. A TLS listener whose config offers "h2" gets HTTP/2.
func (s *Server) Serve(l net.Listener) error {
	srv := &http.Server{
		Handler: s, ConnContext: withPipeUser, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 3 * time.Minute,
		MaxHeaderBytes: 1 << 20, ErrorLog: quiet,
	}
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return http.ErrServerClosed
	}
	s.servers = append(s.servers, srv)
	s.mu.Unlock()
	return srv.Serve(l)
}

// ServePipe answers the in-memory listener's requests (those of ClientConfig that take over their connection) until Shutdown.
func (s *Server) ServePipe() error { return s.Serve(s.pipe) }

// Shutdown ends watches and connections, waits for the other requests, and closes every listener.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	servers, transports, first := s.servers, s.transports, !s.stopping
	s.stopping = true
	s.mu.Unlock()
	if first {
		close(s.done)
	}
	var errs []error
	for _, t := range transports {
		t.CloseIdleConnections()
	}
	for _, srv := range servers {
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, err, srv.Close())
		}
	}
	s.pipe.Close()
	errs = append(errs, s.awaitInside(ctx))
	for _, t := range transports {
		t.CloseIdleConnections()
	}
	return errors.Join(errs...)
}

// enter counts one more request of the process's own clients, unless the server is shutting down.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopping {
		s.inside.Add(1)
	}
	return !s.stopping
}

// awaitInside waits for those that are under way.
func (s *Server) awaitInside(ctx context.Context) error {
	over := make(chan struct{})
	go func() {
		defer close(over)
		s.inside.Wait()
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the requests under way: %w", ctx.Err())
	}
}

// key is where an object of r lies in the store.
func (r *resource) key(namespace, name string) store.Key {
	return store.Key{Resource: r.storage, Namespace: namespace, Name: name}
}

// storageName is a resource's name in store keys: "pods", "deployments.apps".
func storageName(gr schema.GroupResource) string { return gr.String() }
