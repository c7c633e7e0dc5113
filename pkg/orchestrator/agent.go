package orchestrator

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/kubeskiff/skiff/pkg/orchestrator/kubelet"
)

// agent is one further node of a cluster, in a process of its own.
type agent struct {
	config  Config
	name    string
	log     *slog.Logger
	pki     *pki
	network *clusterNetwork
	client  kubernetes.Interface
}

// RunAgent runs a node of the cluster in dir until ctx ends, then stops its containers. An empty name takes the next free one.
func RunAgent(ctx context.Context, dir, name string, report *Reporter) (err error) {
	config, ok, err := LoadConfig(dir)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("there is no cluster in %s: start its server first", dir)
	}
	if err := Check(config.OCIRuntime); err != nil {
		return err
	}
	a := &agent{config: config, log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	lock, index, err := a.claim(name)
	if err != nil {
		return err
	}
	defer lock.Release()
	if a.pki, err = openPKI(dir); err != nil {
		return err
	}
	// Before anything is made: without its server the node is of no use.
	if err := a.connect(ctx); err != nil {
		return err
	}
	if a.network, err = openNodeNetwork(ctx, &a.config, a.name, index); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.network.close()) }()
	return a.run(ctx, report)
}

// claim locks the node's directory. Without a name it takes the first node that nobody runs.
func (a *agent) claim(name string) (*Lock, int, error) {
	for index := 2; ; index++ {
		candidate := nodeName(a.config.Name, index)
		if name != "" {
			number, err := strconv.Atoi(strings.TrimPrefix(name, a.config.Name+"-"))
			if err != nil || number < 2 {
				return nil, 0, fmt.Errorf("node name %q: the nodes of this cluster are called %s, %s … (%s is the server's own)",
					name, candidate, nodeName(a.config.Name, 3), nodeName(a.config.Name, 1))
			}
			index, candidate = number, name
		}
		dir := nodeDir(a.config.Dir, candidate)
		if err := mkdirs(0o700, dir); err != nil {
			return nil, 0, err
		}
		lock, err := lockDir(dir, "agent")
		switch {
		case err == nil:
			a.name = candidate
			return lock, index, nil
		case name != "" || !errors.Is(err, ErrRunning):
			return nil, 0, err
		}
	}
}

func (a *agent) run(ctx context.Context, report *Reporter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	parts := newParts(work, func(err error) { cancel(err) })
	defer func() {
		stop()
		parts.wait()
	}()
	shared := informers.NewSharedInformerFactory(a.client, 0)
	if err := a.network.serve(parts, shared, a.log); err != nil {
		return err
	}
	containers, images, err := openRuntime(&a.config, a.name, a.network.node)
	if err != nil {
		return err
	}
	a.network.runtime = containers
	k, err := kubelet.New(kubelet.Config{
		NodeName: a.name, Client: a.client, Runtime: containers, Images: images, Dir: filepath.Join(nodeDir(a.config.Dir, a.name), "kubelet"),
		NodeIPs: []string{a.network.node.IP().String()}, PodCIDR: a.network.node.PodRange().String(),
		ClusterDNS: []string{a.network.fabric.DNSIP().String()}, KubeletPort: kubeletPort, Drained: a.network.drained,
		LeaseTime: time.Duration(a.config.NodeMonitorGracePeriod), Logger: a.log,
	})
	if err != nil {
		return err
	}
	if err := a.serveKubelet(parts, k.Handler()); err != nil {
		return err
	}
	shared.Start(work.Done())
	parts.run(func(ctx context.Context) error { <-ctx.Done(); shared.Shutdown(); return nil })
	parts.run(k.Run)
	if err := a.waitReady(ctx, k.Joined()); err != nil {
		return err
	}
	report.Ready()
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	stop()
	parts.wait()
	return a.network.stopContainers()
}

// connect makes the client by which the node speaks to the API server: a certificate of its own, protobuf, no rate limit. The server has
// to be there at first; later on the agent outlasts its absence.
func (a *agent) connect(ctx context.Context) error {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(a.config.APIPort))
	first, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("reach the API server of cluster %s (is its server running?): %w", a.config.Name, err)
	}
	first.Close()
	cert, err := a.pki.nodeClient(a.name)
	if err != nil {
		return err
	}
	a.client, err = kubernetes.NewForConfig(&rest.Config{
		Host: "https://" + address, QPS: -1, UserAgent: "skiff-agent", Dial: patient(new(net.Dialer).DialContext),
		TLSClientConfig: rest.TLSClientConfig{CAData: a.pki.ca.PEM(), CertData: cert.CertPEM, KeyData: cert.KeyPEM},
		ContentConfig:   rest.ContentConfig{ContentType: runtime.ContentTypeProtobuf, AcceptContentTypes: runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON},
	})
	if err != nil {
		return fmt.Errorf("make the node agent's client: %w", err)
	}
	return nil
}

// serveKubelet opens the agent's port in the node's own network namespace.
func (a *agent) serveKubelet(parts *parts, handler http.Handler) error {
	conf, err := a.pki.agentServing(a.name, a.network.node.IP())
	if err != nil {
		return err
	}
	l, err := a.network.node.Listen(parts.ctx, "tcp", net.JoinHostPort(a.network.node.IP().String(), strconv.Itoa(kubeletPort)))
	if err != nil {
		return fmt.Errorf("open the agent's port: %w", err)
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
	parts.run(func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { srv.Close() })
		defer stop()
		return ended(srv.Serve(tls.NewListener(l, conf)))
	})
	return nil
}

// waitReady waits until the agent has told the API server that the node is Ready.
func (a *agent) waitReady(ctx context.Context, joined <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("not Ready after a minute"))
	defer cancel()
	select {
	case <-joined:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for node %s: %w", a.name, context.Cause(ctx))
	}
}

// stopContainers ends all containers of the process's node.
func (n *clusterNetwork) stopContainers() error {
	if n == nil || n.runtime == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	return stopSandboxes(ctx, n.runtime)
}
