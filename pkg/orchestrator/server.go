package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// ErrRunning says that another process runs the cluster already.
var ErrRunning = errors.New("the cluster is running already")

// startGCPercent paces the garbage collector during the start.
const startGCPercent = 800

// server is a control plane with the nodes that live in its process.
type server struct {
	config  Config
	log     *slog.Logger
	pki     *pki
	store   store.Store
	api     *apiserver.Server
	network *clusterNetwork // nil for hollow nodes, and until opening has been waited for
	opening *opening
	kubelet *kubelets
	joined  []<-chan struct{} // one for each node of this process, closed once it has told the API that it is Ready
	collect int               // the garbage collector's pace once the start is over
	front   *parts            // what answers requests; ends with the API server's Shutdown, after everything that sends some
}

// RunServer runs the control plane and its nodes until ctx ends, then stops its containers and takes its network away. It
// tells report how the start goes.
func RunServer(ctx context.Context, config Config, report *Reporter) (err error) {
	if err := config.Validate(); err != nil {
		return err
	}
	if err := mkdirs(0o700, config.Dir); err != nil {
		return err
	}
	lock, err := lockDir(config.Dir, "server")
	if err != nil {
		return err
	}
	defer lock.Release()
	if config.Runtime == RuntimeOCI {
		if err := Check(config.OCIRuntime); err != nil {
			return err
		}
		if config.OCIRuntime, err = findRuntime(config.OCIRuntime); err != nil {
			return err
		}
	}
	// Whatever ends the server takes its network along, unless agents of other nodes still use it; only a kill leaves it.
	defer func() { err = errors.Join(err, withdraw(&config)) }()
	// A start fills a small heap fast, with what mostly stays: collecting it over and over is a tenth of the start's time.
	collect := debug.SetGCPercent(startGCPercent)
	defer debug.SetGCPercent(collect)
	s := &server{config: config, log: slog.New(slog.NewTextHandler(os.Stderr, nil)), collect: collect}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return err
	}
	return s.run(ctx, report)
}

// open makes or takes up what lasts: keys and store. The network takes longest and is awaited where it is needed first.
func (s *server) open(ctx context.Context) error {
	if err := s.settle(); err != nil {
		return err
	}
	if s.config.Runtime == RuntimeOCI {
		s.opening = beginNetwork(ctx, &s.config)
	}
	var group errgroup.Group
	group.Go(func() (err error) {
		s.pki, err = openPKI(s.config.Dir)
		return err
	})
	group.Go(s.openStore)
	if err := group.Wait(); err != nil {
		return err
	}
	return s.config.save()
}

// run starts what moves and waits for the end.
func (s *server) run(ctx context.Context, report *Reporter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The parts run under a context of their own, so that the API server outlives the agents that still report to it.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	failed := func(err error) { cancel(err) }
	s.front = newParts(work, failed)
	parts := newParts(work, failed)
	defer func() {
		stop()
		parts.wait()
	}()
	shared, err := s.startControlPlane(work, parts)
	if err != nil {
		return err
	}
	if s.opening != nil {
		if s.network, err = s.opening.wait(); err != nil {
			return err
		}
	}
	if err := s.openDoors(); err != nil {
		return err
	}
	if err := s.startNodes(parts, shared); err != nil {
		return err
	}
	if err := s.pki.writeKubeconfig(&s.config); err != nil {
		return err
	}
	report.Progress("waiting for the nodes")
	if err := s.waitReady(ctx); err != nil {
		return err
	}
	report.Ready()
	debug.SetGCPercent(s.collect)
	parts.run(s.pace)
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	// The agents end first, so that nobody starts anew what is stopped now.
	stop()
	parts.wait()
	return s.network.stopContainers()
}

// settle decides the addresses of a new cluster, and checks those of an old one.
func (s *server) settle() error {
	c := &s.config
	if err := chooseRanges(c); err != nil {
		return err
	}
	if c.APIPort != 0 {
		return nil
	}
	for _, port := range []int{6443, 0} {
		l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		c.APIPort = l.Addr().(*net.TCPAddr).Port
		return l.Close()
	}
	return errors.New("find a port for the API server: none is free on 127.0.0.1")
}

// listen opens the API server's port on the host's loopback.
func (s *server) listen() (net.Listener, error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(s.config.APIPort))
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return nil, fmt.Errorf("port %d for the API server of cluster %s is in use by another program (stop it, or start with --api-port): %w",
			s.config.APIPort, s.config.Name, err)
	}
	return l, nil
}

// endpoint is where pods reach the API server: the first node's address. Hollow pods reach nothing.
func (s *server) endpoint() netip.AddrPort {
	return netip.AddrPortFrom(nthAddr(s.config.NodeRange, 2), 6443)
}

// close releases what open made, in reverse.
func (s *server) close() error {
	var errs []error
	if s.api != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		errs = append(errs, s.api.Shutdown(ctx))
		s.front.wait()
	}
	if s.opening != nil {
		errs = append(errs, s.opening.close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}
