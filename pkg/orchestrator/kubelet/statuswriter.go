package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// statusWriter brings a pod's status to the API: at once when nothing is being written, else the newest as soon as the
// write under way is over. It has a goroutine only while it writes.
type statusWriter struct {
	w      *worker
	mu     sync.Mutex
	idle   *sync.Cond
	base   *corev1.Pod // the newest seen of the API
	next   *corev1.PodStatus
	last   *corev1.PodStatus // the newest wanted, for readers
	busy   bool
	closed bool
	// urgent ends the patience of a write that waits for more to say.
	urgent chan struct{}
}

// patience is how long news of a pod that is still starting may wait for the next news.
const patience = 10 * time.Millisecond

func (s *statusWriter) init(w *worker, pod *corev1.Pod) {
	s.w, s.base = w, pod
	s.idle = sync.NewCond(&s.mu)
	s.urgent = make(chan struct{}, 1)
}

// seen takes a newer pod of the API as the base of the next write.
func (s *statusWriter) seen(pod *corev1.Pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if newer(pod, s.base) {
		s.base = pod
	}
}

// newer compares resource versions, which this cluster counts up.
func newer(a, b *corev1.Pod) bool {
	x, errX := strconv.ParseUint(a.ResourceVersion, 10, 64)
	y, errY := strconv.ParseUint(b.ResourceVersion, 10, 64)
	return errX != nil || errY != nil || x >= y
}

// want asks for a status to be written.
func (s *statusWriter) want(status corev1.PodStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.last = &status
	if !s.busy && equality.Semantic.DeepEqual(status, s.base.Status) {
		return
	}
	s.next = &status
	s.hurry()
	s.begin()
}

// hurry wakes the writer if what is to be written must not wait.
func (s *statusWriter) hurry() {
	if s.next != nil && !canWait(s.next) {
		select {
		case s.urgent <- struct{}{}:
		default:
		}
	}
}

// canWait says that a status is but a step on a pod's way up.
func canWait(s *corev1.PodStatus) bool {
	if s.Phase != corev1.PodPending {
		return false
	}
	for _, list := range [][]corev1.ContainerStatus{s.InitContainerStatuses, s.ContainerStatuses} {
		for i := range list {
			if w := list[i].State.Waiting; w == nil || w.Reason != "ContainerCreating" {
				return false
			}
		}
	}
	return true
}

func (s *statusWriter) begin() {
	if s.busy {
		return
	}
	s.busy = true
	s.w.ops.Go(func() { s.write(s.w.k.ctx) })
}

// close writes the last status, if the pod is still there to have one, and waits until it is written.
func (s *statusWriter) close(final corev1.PodStatus, write bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.last, s.next = true, &final, nil
	if write && !equality.Semantic.DeepEqual(final, s.base.Status) {
		s.next = &final
		s.begin()
	}
	select {
	case s.urgent <- struct{}{}:
	default:
	}
	for s.busy {
		s.idle.Wait()
	}
}

// current is the newest status, written or not.
func (s *statusWriter) current() corev1.PodStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		return *s.last
	}
	return s.base.Status
}

func (s *statusWriter) write(ctx context.Context) {
	delay := 50 * time.Millisecond
	for {
		s.mu.Lock()
		if s.next != nil && canWait(s.next) && !s.closed {
			s.mu.Unlock()
			s.wait(ctx)
			s.mu.Lock()
		}
		next, base := s.next, s.base
		s.next = nil
		if next == nil || equality.Semantic.DeepEqual(*next, base.Status) {
			s.busy = false
			s.idle.Broadcast()
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		pod, err := s.put(ctx, base, next)
		switch {
		case err == nil:
			s.seen(pod)
			delay = 50 * time.Millisecond
			continue
		case apierrors.IsNotFound(err) || apierrors.IsConflict(err) && !s.same(ctx):
			// The pod, or this one of its name, has gone: its watch will say so.
		default:
			s.w.k.log.Warn("write pod status", "pod", podRef(base), "error", err)
			if sleep(ctx, delay) {
				delay = min(2*delay, 10*time.Second)
				s.mu.Lock()
				if s.next == nil {
					s.next = next
				}
				s.mu.Unlock()
				continue
			}
		}
		s.mu.Lock()
		s.busy = false
		s.idle.Broadcast()
		s.mu.Unlock()
		return
	}
}

// wait gives the pod time to say more.
func (s *statusWriter) wait(ctx context.Context) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-s.urgent:
	}
}

// same says whether the pod of this name is still this one.
func (s *statusWriter) same(ctx context.Context) bool {
	pod, err := s.w.k.config.Client.CoreV1().Pods(s.base.Namespace).Get(ctx, s.base.Name, metav1.GetOptions{})
	return err == nil && pod.UID == s.base.UID
}

// put sends the status as a whole, which costs server and agent a fraction of what a patch does. It is refused if anybody has changed
// the pod since base; then a patch says what is new, and leaves alone what others wrote.
func (s *statusWriter) put(ctx context.Context, base *corev1.Pod, next *corev1.PodStatus) (*corev1.Pod, error) {
	pod := *base
	pod.Status = *next
	written, err := s.w.k.config.Client.CoreV1().Pods(base.Namespace).UpdateStatus(ctx, &pod, metav1.UpdateOptions{})
	if apierrors.IsConflict(err) {
		return s.patch(ctx, base, next)
	}
	return written, err
}

// patch sends the difference, and the pod's UID so that no namesake is hit.
func (s *statusWriter) patch(ctx context.Context, base *corev1.Pod, next *corev1.PodStatus) (*corev1.Pod, error) {
	before, err := json.Marshal(corev1.Pod{Status: base.Status})
	if err != nil {
		return nil, fmt.Errorf("encode status: %w", err)
	}
	after, err := json.Marshal(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: base.UID}, Status: *next})
	if err != nil {
		return nil, fmt.Errorf("encode status: %w", err)
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
	if err != nil {
		return nil, fmt.Errorf("compare status: %w", err)
	}
	return s.w.k.config.Client.CoreV1().Pods(base.Namespace).Patch(ctx, base.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
}
