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
}

// NewEvents starts the broadcaster, since what is recorded while nobody sends would be lost; Run ends it.
func NewEvents(client kubernetes.Interface) *Events {
	e := &Events{broadcaster: record.NewBroadcaster()}
	e.broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return e
}

// Recorder records events from a component.
func (e *Events) Recorder(component string) record.EventRecorder {
	return e.broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: component})
}

// Run ends the broadcaster with ctx.
func (e *Events) Run(ctx context.Context) {
	<-ctx.Done()
	e.broadcaster.Shutdown()
}
