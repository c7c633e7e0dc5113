package controller

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
)

// Events writes events to the API server, one broadcaster for all controllers. Similar events are counted, floods dropped,
// as client-go does for every Kubernetes component.
type Events struct {
	broadcaster record.EventBroadcaster
	client      kubernetes.Interface
}

// NewEvents makes the broadcaster; what is recorded before Run waits in its queue.
func NewEvents(client kubernetes.Interface) *Events {
	return &Events{broadcaster: record.NewBroadcaster(), client: client}
}

// Recorder records events from a component.
func (e *Events) Recorder(component string) record.EventRecorder {
	return e.broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: component})
}

// Run sends events until ctx ends.
func (e *Events) Run(ctx context.Context) {
	e.broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: e.client.CoreV1().Events("")})
	<-ctx.Done()
	e.broadcaster.Shutdown()
}
