package orchestrator

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/hollow"
	"github.com/kubeskiff/skiff/pkg/orchestrator/container/oci"
	"github.com/kubeskiff/skiff/pkg/orchestrator/image"
	"github.com/kubeskiff/skiff/pkg/orchestrator/kubelet"
)

// kubeletPort is where the agents of other processes listen, each in its node's own network namespace.
const kubeletPort = 10250

// nodeName names the nodes of a cluster: dev-1, dev-2 …
func nodeName(cluster string, index int) string { return cluster + "-" + strconv.Itoa(index) }

func nodeDir(dir, node string) string { return filepath.Join(dir, "nodes", node) }

// kubelets are the agents that live in this process, and the way to all others.
type kubelets struct {
	server *server

	mu    sync.Mutex
	local map[string]*apiserver.PipeListener
	tls   *tls.Config // towards the others; made at first use
}

func newKubelets(s *server) *kubelets {
	return &kubelets{server: s, local: map[string]*apiserver.PipeListener{}}
}

// serve answers what the API server asks of a local agent.
func (k *kubelets) serve(parts *parts, node string, handler http.Handler) {
	l := apiserver.NewPipeListener()
	k.mu.Lock()
	k.local[node] = l
	k.mu.Unlock()
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second}
	parts.run(func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { srv.Close() })
		defer stop()
		return ended(srv.Serve(l))
	})
}

// dial connects to a node's agent.
func (k *kubelets) dial(ctx context.Context, node string) (net.Conn, error) {
	k.mu.Lock()
	local := k.local[node]
	k.mu.Unlock()
	if local != nil {
		return local.Dial(ctx, auth.ControlPlane(auth.UserAPIServer))
	}
	if k.server.network == nil {
		return nil, fmt.Errorf("node %s has no agent here", node)
	}
	address, err := k.address(ctx, node)
	if err != nil {
		return nil, err
	}
	conf, err := k.dialing()
	if err != nil {
		return nil, err
	}
	conn, err := k.server.network.node.Dial(ctx, "tcp", address.String())
	if err != nil {
		return nil, fmt.Errorf("connect to the agent of node %s: %w", node, err)
	}
	conf = conf.Clone()
	conf.ServerName = node
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("connect to the agent of node %s: %w", node, err)
	}
	return secure, nil
}

// address is where a node said that its agent listens.
func (k *kubelets) address(ctx context.Context, name string) (netip.AddrPort, error) {
	obj, err := apiserver.NewReader(k.server.store).Get(ctx, schema.GroupResource{Resource: "nodes"}, "", name)
	if err != nil {
		return netip.AddrPort{}, err
	}
	node := obj.(*corev1.Node)
	for _, a := range node.Status.Addresses {
		if ip, err := netip.ParseAddr(a.Address); err == nil && a.Type == corev1.NodeInternalIP {
			return netip.AddrPortFrom(ip, uint16(node.Status.DaemonEndpoints.KubeletEndpoint.Port)), nil
		}
	}
	return netip.AddrPort{}, fmt.Errorf("node %s has not said where its agent listens", name)
}

func (k *kubelets) dialing() (*tls.Config, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var err error
	if k.tls == nil {
		k.tls, err = k.server.pki.agentDialing()
	}
	return k.tls, err
}

// startNodes starts the nodes of this process: the first one of real nodes, all of hollow ones.
func (s *server) startNodes(parts *parts, shared informers.SharedInformerFactory) error {
	if s.config.Runtime == RuntimeHollow {
		return s.startHollowNodes(parts)
	}
	if err := s.network.serve(parts, shared, s.log); err != nil {
		return err
	}
	shared.Start(parts.ctx.Done())
	name := nodeName(s.config.Name, 1)
	client, err := kubernetes.NewForConfig(s.api.ClientConfig(auth.Node(name)))
	if err != nil {
		return fmt.Errorf("make the node agent's client: %w", err)
	}
	runtime, images, err := openRuntime(&s.config, name, s.network.node)
	if err != nil {
		return err
	}
	s.network.runtime = runtime
	agent, err := kubelet.New(kubelet.Config{
		NodeName: name, Client: client, Runtime: runtime, Images: images, Dir: filepath.Join(nodeDir(s.config.Dir, name), "kubelet"),
		NodeIPs: []string{s.network.node.IP().String()}, PodCIDR: s.network.node.PodRange().String(),
		ClusterDNS: []string{s.network.fabric.DNSIP().String()}, KubeletPort: kubeletPort, Drained: s.network.drained,
		LeaseTime: time.Duration(s.config.NodeMonitorGracePeriod), Logger: s.log,
	})
	if err != nil {
		return err
	}
	s.kubelet.serve(parts, name, agent.Handler())
	s.joined = append(s.joined, agent.Joined())
	parts.run(agent.Run)
	return nil
}

const controlPlaneRole = "node-role.kubernetes.io/control-plane"

// markControlPlane gives the first node its role, which a node may not claim by itself.
func (s *server) markControlPlane(ctx context.Context) error {
	name := nodeName(s.config.Name, 1)
	node, err := apiserver.NewReader(s.store).Get(ctx, schema.GroupResource{Resource: "nodes"}, "", name)
	if err == nil {
		if _, marked := node.(*corev1.Node).Labels[controlPlaneRole]; marked {
			return nil
		}
	}
	client, err := kubernetes.NewForConfig(s.api.ClientConfig(auth.Admin()))
	if err != nil {
		return fmt.Errorf("make the owner's client: %w", err)
	}
	patch := []byte(`{"metadata":{"labels":{"` + controlPlaneRole + `":""}}}`)
	_, err = client.CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "skiff"})
	if err != nil {
		return fmt.Errorf("give the first node its role: %w", err)
	}
	return nil
}

// openRuntime opens a node's images and containers.
func openRuntime(c *Config, node string, network container.Network) (container.Runtime, container.Images, error) {
	dir := nodeDir(c.Dir, node)
	images, err := image.New(image.Config{Dir: filepath.Join(dir, "images"), Mirrors: c.Mirrors})
	if err != nil {
		return nil, nil, err
	}
	shim, err := shimProgram(c)
	if err != nil {
		return nil, nil, err
	}
	runtime, err := oci.New(oci.Config{
		Dir: filepath.Join(dir, "containers"), Shim: shim, Images: images, Network: network,
		CgroupRoot: "/skiff/" + cgroupName(c) + "/" + node, OCIRuntime: c.OCIRuntime,
	})
	return runtime, images, err
}

// cgroupName names the cluster's cgroup: clusters of one name in several data directories must not meet there.
func cgroupName(c *Config) string {
	sum := sha256.Sum256([]byte(c.Dir))
	return fmt.Sprintf("%s-%x", c.Name, sum[:4])
}

// shimProgram finds skiff-shim: as configured, or beside the running program.
func shimProgram(c *Config) (string, error) {
	if c.Shim != "" {
		return c.Shim, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find skiff-shim: %w", err)
	}
	path := filepath.Join(filepath.Dir(self), "skiff-shim")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find skiff-shim beside %s: %w", self, err)
	}
	return path, nil
}

// startHollowNodes starts nodes whose pods only pretend to run.
func (s *server) startHollowNodes(parts *parts) error {
	for i := 1; i <= s.config.Nodes; i++ {
		name := nodeName(s.config.Name, i)
		client, err := kubernetes.NewForConfig(s.api.ClientConfig(auth.Node(name)))
		if err != nil {
			return fmt.Errorf("make the node agent's client: %w", err)
		}
		pods, err := nthRange(s.config.PodRange, i-1, 24)
		if err != nil {
			return err
		}
		runtime := hollow.New(hollow.Config{PodRange: pods})
		agent, err := kubelet.New(kubelet.Config{
			NodeName: name, Client: client, Runtime: runtime, Images: runtime.Images(), Weightless: true,
			NodeIPs: []string{nthAddr(s.config.NodeRange, i+1).String()}, PodCIDR: pods.String(), KubeletPort: kubeletPort,
			LeaseTime: time.Duration(s.config.NodeMonitorGracePeriod), Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			return err
		}
		s.kubelet.serve(parts, name, agent.Handler())
		s.joined = append(s.joined, agent.Joined())
		parts.run(agent.Run)
	}
	return nil
}
