package scheduler

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// watch keeps cache and queue up to date.
func (s *Scheduler) watch(shared informers.SharedInformerFactory) {
	core := shared.Core().V1()
	s.handle(core.Pods().Informer(), func(old, obj any) {
		before, _ := old.(*corev1.Pod)
		s.podChanged(before, obj.(*corev1.Pod))
	}, func(obj any) { s.podGone(obj.(*corev1.Pod)) })
	s.handle(core.Nodes().Informer(), func(old, obj any) {
		before, _ := old.(*corev1.Node)
		s.nodeChanged(before, obj.(*corev1.Node))
	}, func(obj any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.nodes.removeNode(obj.(*corev1.Node).Name)
	})
	s.handle(core.Namespaces().Informer(), func(old, obj any) {
		if before, ok := old.(*corev1.Namespace); ok && !maps.Equal(before.Labels, obj.(*corev1.Namespace).Labels) {
			s.queue.wake(namespaceLabels)
		}
	}, func(any) {})
	for _, informer := range []cache.SharedIndexInformer{core.Services().Informer(), shared.Apps().V1().ReplicaSets().Informer()} {
		s.synced = append(s.synced, informer.HasSyncedChecker())
	}
}

func (s *Scheduler) handle(informer cache.SharedIndexInformer, changed func(old, obj any), gone func(obj any)) {
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { changed(nil, obj) },
		UpdateFunc: changed,
		DeleteFunc: func(obj any) {
			if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = last.Obj
			}
			if obj != nil {
				gone(obj)
			}
		},
	})
	if err != nil {
		return // only an informer that has stopped refuses handlers
	}
	s.synced = append(s.synced, registration.HasSyncedChecker())
}

func (s *Scheduler) podChanged(old, pod *corev1.Pod) {
	if old != nil && old.UID != pod.UID {
		s.podGone(old)
		old = nil
	}
	switch {
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		s.podGone(pod)
	case pod.Spec.NodeName != "":
		s.podBound(old, pod)
	case pod.DeletionTimestamp != nil || pod.Spec.SchedulerName != s.config.Name:
		s.queue.remove(pod.UID)
	case len(pod.Spec.SchedulingGates) == 0:
		changed := old == nil || !maps.Equal(old.Labels, pod.Labels) || old.Generation != pod.Generation || !apiequality.Semantic.DeepEqual(old.Spec, pod.Spec)
		s.queue.add(pod, changed)
	}
}

func (s *Scheduler) podBound(old, pod *corev1.Pod) {
	s.queue.remove(pod.UID)
	fresh := old == nil || old.Spec.NodeName == ""
	relabelled := old != nil && !maps.Equal(old.Labels, pod.Labels)
	resized := old != nil && old.Generation != pod.Generation
	leaving := old != nil && (old.DeletionTimestamp == nil) != (pod.DeletionTimestamp == nil)
	s.mu.Lock()
	s.nodes.setPod(pod)
	s.mu.Unlock()
	switch {
	case fresh:
		s.queue.wake(podAdded)
	case relabelled:
		s.queue.wake(podLabels)
	case resized, leaving:
		s.queue.wake(podDeleted)
	}
}

func (s *Scheduler) podGone(pod *corev1.Pod) {
	s.queue.remove(pod.UID)
	s.mu.Lock()
	known := s.nodes.removePod(pod.UID)
	s.mu.Unlock()
	if known {
		s.queue.wake(podDeleted)
	}
}

func (s *Scheduler) nodeChanged(old, node *corev1.Node) {
	if old != nil && old.ResourceVersion == node.ResourceVersion {
		return
	}
	s.mu.Lock()
	s.nodes.setNode(node)
	s.mu.Unlock()
	if what := nodeEvents(old, node); what != 0 {
		s.queue.wake(what)
	}
}

// nodeEvents says what changed: heartbeats change nothing that matters.
func nodeEvents(old, node *corev1.Node) (what event) {
	if old == nil {
		return nodeAdded
	}
	if !apiequality.Semantic.DeepEqual(old.Status.Allocatable, node.Status.Allocatable) {
		what |= nodeAllocatable
	}
	if !maps.Equal(old.Labels, node.Labels) {
		what |= nodeLabels
	}
	if old.Spec.Unschedulable != node.Spec.Unschedulable || !apiequality.Semantic.DeepEqual(old.Spec.Taints, node.Spec.Taints) {
		what |= nodeTaints
	}
	return what
}
