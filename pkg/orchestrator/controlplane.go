package orchestrator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"

	"github.com/kubeskiff/skiff/pkg/api/all"
	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
	controllers "github.com/kubeskiff/skiff/pkg/orchestrator/controller/all"
	"github.com/kubeskiff/skiff/pkg/orchestrator/scheduler"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

func (s *server) openStore() error {
	log, err := store.OpenBolt(filepath.Join(s.config.Dir, "store.db"))
	if err != nil {
		return err
	}
	s.store, err = store.New(log, apiserver.Codec(all.Kinds()))
	return err
}

// startControlPlane starts all that needs nothing but keys and store: API server, controllers, scheduler.
func (s *server) startControlPlane(ctx context.Context, parts *parts) (informers.SharedInformerFactory, error) {
	if err := s.makeAPI(ctx); err != nil {
		return nil, err
	}
	return s.startControllers(parts)
}

// makeAPI makes the API server, which the rooms of this process can reach from now on, and creates what every cluster has.
func (s *server) makeAPI(ctx context.Context) error {
	read := apiserver.NewReader(s.store)
	tokens := auth.NewServiceAccountTokens(s.pki.tokens, read)
	s.kubelet = newKubelets(s)
	var err error
	s.api, err = apiserver.New(apiserver.Config{
		Store: s.store, Kinds: all.Kinds(),
		Authenticator: auth.Chain(auth.NewClientCertificates(s.pki.ca), tokens),
		Authorizer:    auth.NewRights(read),
		Admission:     admission.Default(read),
		TokenReviewer: tokens.Review,
		SignToken:     s.signToken,
		Issuer:        tokenIssuer,
		ServiceRange:  s.config.ServiceRange,
		KubeletDial:   s.kubelet.dial,
		PodDial:       s.podDial(),
		Endpoint:      s.endpoint(),
		Version:       Version(),
	})
	if err != nil {
		return err
	}
	s.front.run(func(context.Context) error { return ended(s.api.ServePipe()) })
	if err := s.api.Bootstrap(ctx); err != nil {
		return fmt.Errorf("create what every cluster has: %w", err)
	}
	return nil
}

// openDoors has the API server answer everybody else.
func (s *server) openDoors() error {
	listeners, err := s.listeners()
	if err != nil {
		return err
	}
	conf, err := s.pki.serving(s.endpoint().Addr(), firstOf(s.config.ServiceRange))
	if err != nil {
		return errors.Join(err, closeAll(listeners))
	}
	for _, l := range listeners {
		s.front.run(func(context.Context) error { return ended(s.api.Serve(tls.NewListener(l, conf))) })
	}
	return nil
}

// listeners are the host's loopback and, where there are real pods, the first node's address.
func (s *server) listeners() ([]net.Listener, error) {
	host, err := s.listen()
	if err != nil {
		return nil, err
	}
	if s.network == nil {
		return []net.Listener{host}, nil
	}
	node, err := s.network.node.Listen(context.Background(), "tcp", s.endpoint().String())
	if err != nil {
		return nil, errors.Join(err, host.Close())
	}
	return []net.Listener{host, node}, nil
}

func closeAll(listeners []net.Listener) (err error) {
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}

// ended drops the errors by which a server says that it was told to end.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// startControllers starts the controllers and the scheduler, each with an identity of its own. It gives the informers that they share.
func (s *server) startControllers(parts *parts) (informers.SharedInformerFactory, error) {
	config := s.api.ClientConfig(auth.ControlPlane(auth.UserControllerManager))
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make the controllers' client: %w", err)
	}
	meta, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make the controllers' client: %w", err)
	}
	shared := informers.NewSharedInformerFactory(client, 0)
	list := controllers.New(controller.Context{
		Client: client, Informers: shared, Metadata: meta, ClientFor: s.clientFor(client),
		Config: controller.Config{
			NodeMonitorGracePeriod: time.Duration(s.config.NodeMonitorGracePeriod),
			LoadBalancerRange:      s.config.LoadBalancerRange, RootCA: s.pki.ca.PEM(),
		},
	})
	for _, c := range list {
		parts.run(func(ctx context.Context) error { c.Run(ctx); return nil })
	}
	schedulerClient, err := kubernetes.NewForConfig(s.api.ClientConfig(auth.ControlPlane(auth.UserScheduler)))
	if err != nil {
		return nil, fmt.Errorf("make the scheduler's client: %w", err)
	}
	sched := scheduler.New(schedulerClient, shared, scheduler.Config{})
	parts.run(func(ctx context.Context) error { sched.Run(ctx); return nil })
	parts.run(s.api.KeepBootstrapped)
	shared.Start(parts.ctx.Done())
	parts.run(func(ctx context.Context) error { <-ctx.Done(); shared.Shutdown(); return nil })
	return shared, nil
}

// clientFor gives each controller a client under its own service account's name, so that managed fields and logs tell them apart.
func (s *server) clientFor(fallback kubernetes.Interface) func(string) kubernetes.Interface {
	return func(name string) kubernetes.Interface {
		config := s.api.ClientConfig(auth.ServiceAccount("kube-system", name, ""))
		config.UserAgent = "kube-controller-manager"
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return fallback // cannot be: the configuration is ours
		}
		return client
	}
}

// signToken makes a service account's token.
func (s *server) signToken(ctx context.Context, r apiserver.TokenRequest) (string, error) {
	claims, err := auth.Bind(ctx, apiserver.NewReader(s.store), r.Namespace, auth.Ref{Name: r.Name, UID: r.UID}, r.BoundKind, auth.Ref{Name: r.BoundName, UID: r.BoundUID})
	if err != nil {
		return "", err
	}
	return s.pki.tokens.Sign(claims, r.Audiences, r.Expires)
}

// podDial reaches pods and services from within the first node; hollow pods cannot be reached.
func (s *server) podDial() func(context.Context, string, string) (net.Conn, error) {
	if s.opening == nil {
		return nil
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		n, err := s.opening.wait()
		if err != nil {
			return nil, err
		}
		return n.node.Dial(ctx, network, address)
	}
}
