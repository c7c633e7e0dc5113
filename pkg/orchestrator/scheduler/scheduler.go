// Package scheduler finds a node for each pod that has none: it takes pods by priority, filters nodes, scores what is left,
// assumes the best and binds in the background. One file holds one plugin. It starts nothing and evicts nobody.
package scheduler

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	appslisters "k8s.io/client-go/listers/apps/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
)

// Config says which pods are ours and how hard to look; zero fields mean upstream's defaults.
type Config struct {
	// Name is the spec.schedulerName of the pods to schedule.
	Name string
	// PercentageOfNodesToScore bounds the search in big clusters; 0 adapts to their size.
	PercentageOfNodesToScore int
	// Binds is how many bindings are sent at once.
	Binds int
}

// Scheduler schedules; make it with New before the informer factory starts, start it with Run.
type Scheduler struct {
	config Config
	client kubernetes.Interface

	broadcaster record.EventBroadcaster
	events      record.EventRecorder
	synced      []cache.DoneChecker

	services    corelisters.ServiceLister
	replicaSets appslisters.ReplicaSetLister
	namespaces  corelisters.NamespaceLister

	plugins []plugin
	queue   *queue

	mu    sync.Mutex // guards nodes: the cycle and the informers' handlers
	nodes *nodeCache

	nextStart int
	slots     chan struct{} // bounds the bindings under way
	tasks     sync.WaitGroup
}

// New makes a scheduler that learns of the cluster through informers.
func New(client kubernetes.Interface, shared informers.SharedInformerFactory, config Config) *Scheduler {
	if config.Name == "" {
		config.Name = corev1.DefaultSchedulerName
	}
	if config.Binds == 0 {
		config.Binds = 64
	}
	broadcaster := record.NewBroadcaster()
	s := &Scheduler{
		config:      config,
		client:      client,
		broadcaster: broadcaster,
		events:      broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: config.Name}),
		services:    shared.Core().V1().Services().Lister(),
		replicaSets: shared.Apps().V1().ReplicaSets().Lister(),
		namespaces:  shared.Core().V1().Namespaces().Lister(),
		plugins:     plugins(),
		queue:       newQueue(),
		nodes:       newNodeCache(),
		slots:       make(chan struct{}, config.Binds),
	}
	s.watch(shared)
	return s
}

// Run schedules until ctx ends, and returns when the last binding has been answered.
func (s *Scheduler) Run(ctx context.Context) {
	s.broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: s.client.CoreV1().Events("")})
	defer s.broadcaster.Shutdown()
	defer s.tasks.Wait()
	if !cache.WaitFor(ctx, "", s.synced...) {
		return
	}
	stop := context.AfterFunc(ctx, s.queue.close)
	defer stop()
	for {
		item, ok := s.queue.pop()
		if !ok {
			return
		}
		s.schedule(ctx, item)
	}
}

// schedule takes one pod through the cycle and leaves the binding to run on.
func (s *Scheduler) schedule(ctx context.Context, item *queued) {
	pod := newPodInfo(item.pod)
	s.mu.Lock()
	host, failure := s.cycle(pod)
	if failure == nil {
		s.nodes.assume(pod, host)
	}
	s.mu.Unlock()
	if failure != nil {
		s.fail(ctx, item, corev1.PodReasonUnschedulable, failure.message(), failure.wakes())
		return
	}
	s.slots <- struct{}{}
	s.tasks.Go(func() {
		defer func() { <-s.slots }()
		s.bind(ctx, item, host)
	})
}

// cycle finds the best node under the lock: prepare, filter, score.
func (s *Scheduler) cycle(pod *podInfo) (string, *failure) {
	all := s.nodes.list
	if len(all) == 0 {
		return "", &failure{noNodes: true, plugins: s.plugins}
	}
	c := s.newCycle(pod, all)
	feasible, f := s.findFeasible(c)
	switch len(feasible) {
	case 0:
		f.postFilter = explainPreemption(c, f)
		return "", f
	case 1:
		return feasible[0].object.Name, nil
	}
	return pickBest(feasible, totalScores(c, s.plugins, feasible)), nil
}

func (s *Scheduler) newCycle(pod *podInfo, all []*node) *cycle {
	c := &cycle{pod: pod, all: all, scheduler: s}
	if ns, err := s.namespaces.Get(pod.pod.Namespace); err == nil {
		c.namespaceLabels = ns.Labels
	}
	return c
}
