// Package kubelet is the node agent: it registers its node, watches the pods bound to it, and makes the container runtime
// do what they say. Every pod has one worker: sync.go decides, purely, and worker.go acts. The package sees containers only
// through container.Runtime and the cluster only through the API; it never looks into the store and never runs a process
// itself.
package kubelet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
	"github.com/kubeskiff/skiff/pkg/orchestrator/volume"
)

// Config is what an agent is made with.
type Config struct {
	NodeName string
	Client   kubernetes.Interface
	Runtime  container.Runtime
	Images   container.Images
	// Dir is the agent's own: pods' volumes and files, logs.
	Dir string
	// LogDir is where containers' logs are; default Dir/logs.
	LogDir  string
	NodeIPs []string
	PodCIDR string
	// PodCIDRs are all of the node's ranges; default PodCIDR alone.
	PodCIDRs []string
	// ClusterDNS are the name servers of pods; ClusterDomain is "cluster.local" by default.
	ClusterDNS    []string
	ClusterDomain string
	// ResolvConf is the node's own resolver configuration; default /etc/resolv.conf.
	ResolvConf string
	Labels     map[string]string
	Taints     []corev1.Taint
	// ProviderID names the machine, as cloud providers do.
	ProviderID string
	// KubeletPort is reported as the port of Handler.
	KubeletPort int32
	// Capacity overrides what the machine has.
	Capacity corev1.ResourceList
	MaxPods  int64 // default 110
	// Version is the kubelet version that the node reports; default "v1.37.2+skiff".
	Version string
	// Weightless leaves out all files of pods (volumes, hosts, logs' directories) and their API reads, and the events of containers
	// that do well: for hollow nodes by the hundred.
	Weightless bool
	// Services lists the cluster's services where the process has such a list already; nil: the agent watches them itself.
	Services corelisters.ServiceLister
	// Starts bounds how many pods start containers at the same time; default 4.
	Starts int
	// LogMaxSize and LogMaxFiles rule the rotation of containers' logs; default 10 MiB and 5.
	LogMaxSize  int64
	LogMaxFiles int
	// LeaseTime is how long the node may be silent before it counts as gone; default 40 s.
	LeaseTime time.Duration
	// Drained waits until Services send nothing new to a pod's address; told says whether they will be told that the pod leaves. Nil:
	// nobody can tell.
	Drained func(ctx context.Context, ip string, told func() bool) error
	Logger  *slog.Logger
}

func (c *Config) complete() error {
	switch {
	case c.NodeName == "":
		return errors.New("a node needs a name")
	case c.Client == nil || c.Runtime == nil || c.Images == nil:
		return errors.New("a node agent needs a client, a runtime and images")
	case c.Dir == "" && !c.Weightless:
		return errors.New("a node agent needs a directory")
	}
	if c.LogDir == "" {
		c.LogDir = filepath.Join(c.Dir, "logs")
	}
	if c.ClusterDomain == "" {
		c.ClusterDomain = "cluster.local"
	}
	if c.ResolvConf == "" {
		c.ResolvConf = "/etc/resolv.conf"
	}
	if c.PodCIDRs == nil && c.PodCIDR != "" {
		c.PodCIDRs = []string{c.PodCIDR}
	}
	if c.MaxPods == 0 {
		c.MaxPods = 110
	}
	if c.Version == "" {
		c.Version = "v1.37.2+skiff"
	}
	if c.Starts == 0 {
		c.Starts = 4
	}
	if c.LeaseTime <= 0 {
		c.LeaseTime = leaseTime
	}
	if c.LogMaxSize == 0 {
		c.LogMaxSize = 10 << 20
	}
	if c.LogMaxFiles == 0 {
		c.LogMaxFiles = 5
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Kubelet is one node's agent.
type Kubelet struct {
	config  Config
	log     *slog.Logger
	scheme  string
	machine machine
	events  *recorder
	objects *objects
	volumes *volume.Volumes
	pulls   *puller
	starts  chan struct{} // one token for each start under way
	probes  *prober
	logs    *logWatcher
	nudge   chan struct{} // wakes the node's status
	joined  chan struct{} // closed once the API knows the node as it is now

	serviceOnce     sync.Once
	serviceInformer cache.SharedIndexInformer
	serviceLister   corelisters.ServiceLister

	// ctx is the life of Run; work counts the goroutines that must end with it.
	ctx  context.Context
	work sync.WaitGroup

	mu      sync.Mutex
	workers map[types.UID]*worker
	// adopted are the sandboxes that an earlier agent left and no pod has claimed yet.
	adopted map[types.UID][]container.Sandbox
	orphans bool // the API's pods are known: what is still adopted belongs to nobody
}

// New makes an agent; nothing is touched before Run.
func New(c Config) (*Kubelet, error) {
	if err := c.complete(); err != nil {
		return nil, fmt.Errorf("make node agent: %w", err)
	}
	name, _, _ := strings.Cut(c.Runtime.Version(), "://")
	k := &Kubelet{
		config:  c,
		log:     c.Logger.With("node", c.NodeName),
		scheme:  name + "://",
		starts:  make(chan struct{}, c.Starts),
		nudge:   make(chan struct{}, 1),
		joined:  make(chan struct{}),
		workers: map[types.UID]*worker{},
		adopted: map[types.UID][]container.Sandbox{},
	}
	k.machine = readMachine(&c)
	k.events = newRecorder(c.Client, c.NodeName, k.log, c.Weightless)
	k.objects = newObjects(c.Client, k.objectChanged)
	k.pulls = newPuller(c.Images)
	k.probes = newProber(c.Runtime)
	k.logs = &logWatcher{}
	vc := volume.Config{Dir: c.Dir, Sources: k}
	if os.Geteuid() == 0 {
		vc.Tmpfs, vc.Unmount = volume.MountTmpfs, volume.UnmountBelow
	}
	k.volumes = volume.New(vc)
	return k, nil
}

// Run is the agent's life. It returns when ctx ends; containers go on running then.
func (k *Kubelet) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k.ctx = ctx
	k.events.start(ctx, &k.work)
	k.objects.start(ctx, &k.work)
	defer k.work.Wait()
	defer cancel()
	events, err := k.config.Runtime.Events(ctx)
	if err != nil {
		return fmt.Errorf("run node agent %s: %w", k.config.NodeName, err)
	}
	sandboxes, err := k.config.Runtime.Sandboxes(ctx)
	if err != nil {
		return fmt.Errorf("run node agent %s: %w", k.config.NodeName, err)
	}
	for _, s := range sandboxes {
		uid := types.UID(s.Config.PodUID)
		k.adopted[uid] = append(k.adopted[uid], s)
	}
	if err := k.register(ctx); err != nil {
		return err
	}
	close(k.joined)
	k.work.Go(func() { k.renewLease(ctx) })
	k.work.Go(func() { k.reportNode(ctx) })
	k.work.Go(func() { k.dispatch(ctx, events) })
	k.work.Go(func() { k.collectImages(ctx) })
	k.watchPods(ctx)
	<-ctx.Done()
	return nil
}

// dispatch tells workers of starts and ends in the runtime. When the runtime breaks off, it listens anew, and has every
// worker look at what it may have missed.
func (k *Kubelet) dispatch(ctx context.Context, events <-chan container.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if ok {
				uid, _ := splitSandboxID(e.SandboxID)
				if w := k.worker(uid); w != nil {
					w.runtimeChanged(e.ContainerID)
				}
				continue
			}
		}
		if !sleep(ctx, time.Second) {
			return
		}
		again, err := k.config.Runtime.Events(ctx)
		if err != nil {
			k.log.Error("listen to the runtime", "error", err)
			continue
		}
		events = again
		k.mu.Lock()
		for _, w := range k.workers {
			w.post(func(v *view) {
				for _, h := range v.containers {
					if h.last != nil && h.last.End == nil {
						w.look(ctx, h.last.ID)
					}
				}
			})
		}
		k.mu.Unlock()
	}
}

func (k *Kubelet) worker(uid types.UID) *worker {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.workers[uid]
}

// workerByName finds the worker of a pod by its name: the newest, should there be two.
func (k *Kubelet) workerByName(namespace, name string) *worker {
	k.mu.Lock()
	defer k.mu.Unlock()
	var found *worker
	for _, w := range k.workers {
		pod := w.latest()
		if pod.Namespace != namespace || pod.Name != name {
			continue
		}
		if found == nil || found.latest().CreationTimestamp.Before(&pod.CreationTimestamp) {
			found = w
		}
	}
	return found
}

// Joined is closed once this agent has told the API that its node is Ready; what an earlier one said may still be there before.
func (k *Kubelet) Joined() <-chan struct{} { return k.joined }

// Handler serves the agent's HTTP API. Its caller has authenticated the peer already.
func (k *Kubelet) Handler() http.Handler { return newServer(k) }
