package scheduler

import (
	"container/heap"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// event is a set of things that happen in a cluster and may help a pod that did not fit.
type event uint

// The events.
const (
	nodeAdded event = 1 << iota
	nodeAllocatable
	nodeLabels
	nodeTaints
	podAdded
	podDeleted
	podLabels
	namespaceLabels

	anyEvent event = 1<<iota - 1
)

const (
	firstBackoff = time.Second
	lastBackoff  = 10 * time.Second
	// maxUnschedulable is how long a pod rests at most before it is tried without any event.
	maxUnschedulable = 5 * time.Minute
)

// where a queued pod is.
type place uint8

const (
	inFlight place = iota
	inActive
	inBackoff
	inUnschedulable
)

// queued is a pod that waits for a node.
type queued struct {
	pod      *corev1.Pod
	added    time.Time
	attempts int
	until    time.Time // end of the back-off, or of the rest
	failed   bool      // by an error: the back-off is kept even when nothing else is to do
	wakes    event
	place    place
	index    int
	seen     uint64 // the queue's count of events when the pod was taken out
	gone     bool
}

// queue orders pods: active ones by priority and age, failed ones by the end of their back-off, and unschedulable ones at rest
// until an event that may help. As upstream's it hands out pods in back-off when no active one is left.
type queue struct {
	mu       sync.Mutex
	ready    *sync.Cond
	active   podHeap
	backoff  podHeap
	resting  podHeap
	pods     map[types.UID]*queued
	count    uint64           // of events
	happened map[event]uint64 // the count at the last event of each kind
	timer    *time.Timer
	closed   bool
}

func newQueue() *queue {
	q := &queue{pods: map[types.UID]*queued{}, happened: map[event]uint64{}}
	q.ready = sync.NewCond(&q.mu)
	q.active.less = func(a, b *queued) bool {
		if p, o := priority(a.pod), priority(b.pod); p != o {
			return p > o
		}
		return a.added.Before(b.added)
	}
	q.backoff.less = func(a, b *queued) bool { return a.until.Before(b.until) }
	q.resting.less = q.backoff.less
	return q
}

// add takes a pod up, or its newer version. A change of its spec or labels gives a resting pod another chance.
func (q *queue) add(pod *corev1.Pod, changed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	item, known := q.pods[pod.UID]
	if !known {
		item = &queued{pod: pod, added: time.Now(), place: inFlight}
		q.pods[pod.UID] = item
		q.move(item, inActive)
		return
	}
	item.pod = pod
	if changed && item.place == inUnschedulable {
		q.release(item)
	} else if changed && item.place == inFlight {
		item.seen = 0 // whatever the cycle under way finds is out of date
		q.happened[anyEvent] = q.count + 1
		q.count++
	}
}

// remove drops a pod that is bound or gone.
func (q *queue) remove(uid types.UID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	item, known := q.pods[uid]
	if !known {
		return
	}
	item.gone = true
	q.take(item)
	delete(q.pods, uid)
}

// pop waits for the next pod; ok is false after close.
func (q *queue) pop() (item *queued, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.closed {
			return nil, false
		}
		q.expire(time.Now())
		switch {
		case len(q.active.items) > 0:
			item = q.active.items[0]
		case len(q.backoff.items) > 0 && !q.backoff.items[0].failed:
			item = q.backoff.items[0]
		}
		if item != nil {
			q.take(item)
			item.attempts++
			item.seen = q.count
			return item, true
		}
		q.schedule()
		q.ready.Wait()
	}
}

// done forgets a pod that was bound.
func (q *queue) done(item *queued) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pods[item.pod.UID] == item {
		delete(q.pods, item.pod.UID)
	}
}

// requeue puts a pod back that did not fit, to rest until one of the events in wakes; if one happened while it was tried, or
// after an error, it only backs off. It is false for a pod that has gone.
func (q *queue) requeue(item *queued, wakes event, failed bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if item.gone || q.closed {
		return false
	}
	item.wakes, item.failed = wakes, failed
	if failed || q.happenedSince(item.seen, wakes) {
		item.until = time.Now().Add(backoffOf(item.attempts))
		q.move(item, inBackoff)
		return true
	}
	item.until = time.Now().Add(maxUnschedulable)
	q.move(item, inUnschedulable)
	return true
}

// wake gives pods another chance that the event may help.
func (q *queue) wake(what event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count++
	q.happened[what] = q.count
	if len(q.resting.items) == 0 {
		return
	}
	var helped []*queued
	for _, item := range q.resting.items {
		if item.wakes&what != 0 {
			helped = append(helped, item)
		}
	}
	for _, item := range helped {
		q.release(item)
	}
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	if q.timer != nil {
		q.timer.Stop()
	}
	q.ready.Broadcast()
}

// release moves a resting pod on: to the active ones if its back-off is over. Rest began when it last failed.
func (q *queue) release(item *queued) {
	item.until = item.until.Add(backoffOf(item.attempts) - maxUnschedulable)
	if item.until.After(time.Now()) {
		q.move(item, inBackoff)
		return
	}
	q.move(item, inActive)
}

// expire moves pods on whose time has come.
func (q *queue) expire(now time.Time) {
	for _, h := range []*podHeap{&q.backoff, &q.resting} {
		for len(h.items) > 0 && !h.items[0].until.After(now) {
			q.move(h.items[0], inActive)
		}
	}
}

// schedule sets the timer to the next end of a back-off or rest.
func (q *queue) schedule() {
	var next time.Time
	for _, h := range []*podHeap{&q.backoff, &q.resting} {
		if len(h.items) > 0 && (next.IsZero() || h.items[0].until.Before(next)) {
			next = h.items[0].until
		}
	}
	if q.timer != nil {
		q.timer.Stop()
	}
	if !next.IsZero() {
		q.timer = time.AfterFunc(time.Until(next), q.ready.Broadcast)
	}
}

func (q *queue) happenedSince(seen uint64, mask event) bool {
	for what, at := range q.happened {
		if at > seen && what&mask != 0 {
			return true
		}
	}
	return false
}

func (q *queue) take(item *queued) {
	if h := q.heapOf(item.place); h != nil {
		heap.Remove(h, item.index)
	}
	item.place = inFlight
}

func (q *queue) move(item *queued, to place) {
	q.take(item)
	item.place = to
	heap.Push(q.heapOf(to), item)
	q.ready.Signal()
}

func (q *queue) heapOf(p place) *podHeap {
	switch p {
	case inActive:
		return &q.active
	case inBackoff:
		return &q.backoff
	case inUnschedulable:
		return &q.resting
	}
	return nil
}

// backoffOf doubles with each attempt: 1 s, 2 s, 4 s … 10 s.
func backoffOf(attempts int) time.Duration {
	d := firstBackoff
	for range attempts - 1 {
		if d *= 2; d >= lastBackoff {
			return lastBackoff
		}
	}
	return d
}

// podHeap is a container/heap whose items know their place in it.
type podHeap struct {
	items []*queued
	less  func(a, b *queued) bool
}

func (h *podHeap) Len() int           { return len(h.items) }
func (h *podHeap) Less(i, j int) bool { return h.less(h.items[i], h.items[j]) }
func (h *podHeap) Swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	h.items[i].index, h.items[j].index = i, j
}

// Push is for container/heap.
func (h *podHeap) Push(x any) {
	item := x.(*queued)
	item.index = len(h.items)
	h.items = append(h.items, item)
}

// Pop is for container/heap.
func (h *podHeap) Pop() any {
	last := h.items[len(h.items)-1]
	h.items = h.items[:len(h.items)-1]
	return last
}
