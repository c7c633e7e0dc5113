package kubelet

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
)

// recorder writes events to the API, in order, joined and limited as client-go's correlator does. It has a goroutine only
// while there is something to write.
type recorder struct {
	client     kubernetes.Interface
	node       string
	log        *slog.Logger
	correlator func() *record.EventCorrelator
	// quiet leaves out what a hollow node only pretends: images that are pulled, containers that are created, started and killed.
	quiet bool

	mu    sync.Mutex
	ctx   context.Context
	work  *sync.WaitGroup
	queue []*corev1.Event
	busy  bool
	count uint64
}

// eventQueue bounds how many events wait while the API does not answer.
const eventQueue = 1000

func newRecorder(client kubernetes.Interface, node string, log *slog.Logger, quiet bool) *recorder {
	return &recorder{client: client, node: node, log: log, quiet: quiet, correlator: sync.OnceValue(func() *record.EventCorrelator {
		return record.NewEventCorrelator(clock.RealClock{})
	})}
}

func (r *recorder) start(ctx context.Context, work *sync.WaitGroup) { r.ctx, r.work = ctx, work }

// pod records an event of a pod.
func (r *recorder) pod(pod *corev1.Pod, kind, reason, message string) {
	r.record(podReference(pod), kind, reason, message)
}

// container records an event of one of a pod's containers.
func (r *recorder) container(pod *corev1.Pod, name, kind, reason, message string) {
	if r.quiet && kind == corev1.EventTypeNormal {
		return
	}
	ref := podReference(pod)
	ref.FieldPath = fieldPath(pod, name)
	r.record(ref, kind, reason, message)
}

// nodeEvent records an event of the node; its UID is its name, as the real agent's is.
func (r *recorder) nodeEvent(kind, reason, message string) {
	r.record(corev1.ObjectReference{Kind: "Node", Name: r.node, UID: types.UID(r.node)}, kind, reason, message)
}

func podReference(pod *corev1.Pod) corev1.ObjectReference {
	return corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion}
}

// fieldPath names a container inside its pod: spec.containers{web}.
func fieldPath(pod *corev1.Pod, name string) string {
	for i := range pod.Spec.InitContainers {
		if pod.Spec.InitContainers[i].Name == name {
			return "spec.initContainers{" + name + "}"
		}
	}
	for i := range pod.Spec.EphemeralContainers {
		if pod.Spec.EphemeralContainers[i].Name == name {
			return "spec.ephemeralContainers{" + name + "}"
		}
	}
	return "spec.containers{" + name + "}"
}

func (r *recorder) record(ref corev1.ObjectReference, kind, reason, message string) {
	now := metav1.NewTime(time.Now())
	namespace := ref.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx == nil || r.ctx.Err() != nil || len(r.queue) >= eventQueue {
		return
	}
	r.count++
	r.queue = append(r.queue, &corev1.Event{
		ObjectMeta:          metav1.ObjectMeta{Name: fmt.Sprintf("%s.%x", ref.Name, uint64(now.UnixNano())+r.count), Namespace: namespace},
		InvolvedObject:      ref,
		Reason:              reason,
		Message:             message,
		FirstTimestamp:      now,
		LastTimestamp:       now,
		Count:               1,
		Type:                kind,
		Source:              corev1.EventSource{Component: "kubelet", Host: r.node},
		ReportingController: "kubelet",
		ReportingInstance:   r.node,
	})
	if !r.busy {
		r.busy = true
		r.work.Go(r.drain)
	}
}

func (r *recorder) drain() {
	for {
		r.mu.Lock()
		if len(r.queue) == 0 || r.ctx.Err() != nil {
			r.busy, r.queue = false, nil
			r.mu.Unlock()
			return
		}
		batch := r.queue
		r.queue = nil
		r.mu.Unlock()
		for _, e := range batch {
			r.send(e)
		}
	}
}

// send writes one event, or raises the count of an equal one.
func (r *recorder) send(e *corev1.Event) {
	result, err := r.correlator().EventCorrelate(e)
	if err != nil || result.Skip {
		return
	}
	events := r.client.CoreV1().Events(e.Namespace)
	var written *corev1.Event
	if result.Event.Count > 1 {
		written, err = events.Patch(r.ctx, result.Event.Name, types.StrategicMergePatchType, result.Patch, metav1.PatchOptions{})
	}
	if result.Event.Count <= 1 || apierrors.IsNotFound(err) {
		fresh := result.Event.DeepCopy()
		fresh.ResourceVersion = ""
		written, err = events.Create(r.ctx, fresh, metav1.CreateOptions{})
	}
	switch {
	case err == nil:
		r.correlator().UpdateState(written)
	case r.ctx.Err() == nil && !strings.Contains(err.Error(), "being terminated"):
		r.log.Warn("record event", "reason", e.Reason, "error", err)
	}
}
